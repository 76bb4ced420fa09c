"""What each template may use: one dataclass per template, named in it. A test checks it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from app.web.page.page_request import Chip, PageRequest
from app.web.page.views.answer import AnswerShown, SentenceShown
from app.web.page.views.cards import Card, LinkShown
from app.web.page.views.conversation_view import AnswerActions, ConversationView
from app.web.page.views.post_view import NeighbourShown, PostShown
from app.web.page.words.labels import Labels, Ui


@dataclass(frozen=True, slots=True)
class Frame:
    """What is around every whole page.

    Attributes:
        title: Of the browser's tab, before the product's name; "" leaves the name alone.
        assets: Address of each file in static/ by its name, with a fingerprint of its content.
        other_ui: Address of the same page in the other language.
        unscripted: Address of the same page, whole without JavaScript, to which browsers without it are sent on;
            "" if this is it.
        signed_in: Whether there is somebody to sign out.
    """

    labels: Labels
    ui: Ui
    title: str
    assets: Mapping[str, str]
    asked: PageRequest
    home: str
    other_ui: str
    unscripted: str = ""
    signed_in: bool = False


@dataclass(frozen=True, slots=True)
class HomePage:
    """The search box on an empty page; `examples` are questions with their addresses, `note` what just happened."""

    template: ClassVar[str] = "home.jinja"

    frame: Frame
    examples: tuple[tuple[str, str], ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several ways to see the posts; "" is the address of the one that is chosen."""

    text: str
    address: str


@dataclass(frozen=True, slots=True)
class SearchResultPage:
    """Answer and posts.

    Attributes:
        notes: Parts of the query that may have been meant in another way, and other remarks, one sentence each.
        chips: Filters that are set.
        sorts: Orders to choose from.
        tags: Tags of the posts found, with how many posts have each.
        folding: Address with near copies folded again; "" if they are.
        languages: Post languages to choose from: code to name.
        stream: Address of the answer's events; "" if the answer is in the page or there is none.
        answer: The whole answer; None if it will stream in, and on later pages of hits.
        understood: The question as it was completed from the conversation; "" if it was not.
        conversation: Earlier turns of the conversation.
        sources: The cards that the answer is made from.
        actions: What can be done with the answer; None if it is not kept, or not complete yet.
        followups: Follow-up questions.
        first_page: Address of the page with the answer; "" if this is it.
        more: Address of the next page of hits; "" if there is none.
    """

    template: ClassVar[str] = "search.jinja"

    frame: Frame
    notes: tuple[str, ...]
    chips: tuple[Chip, ...]
    sorts: tuple[Choice, ...]
    tags: tuple[tuple[LinkShown, str], ...]
    folding: str
    languages: Mapping[str, str]
    stream: str
    answer: AnswerShown | None
    understood: str
    conversation: ConversationView | None
    sources: tuple[Card, ...]
    actions: AnswerActions | None
    followups: tuple[LinkShown, ...]
    cards: tuple[Card, ...]
    first_page: str
    more: str


@dataclass(frozen=True, slots=True)
class NarrowedFragment:
    """The posts of a page with one more tag, beside an answer that stays; goes into #narrowed.

    Attributes:
        heading: Which posts these are.
        back: Address of the page without the tag.
        whole: Address of the page with the tag, asked anew.
    """

    template: ClassVar[str] = "narrowed.jinja"

    labels: Labels
    heading: str
    cards: tuple[Card, ...]
    back: str
    whole: str


@dataclass(frozen=True, slots=True)
class PostPage:
    """A post's own page.

    Attributes:
        back: Address of the page that led here; "" if there is none.
        neighbours: Posts like it.
    """

    template: ClassVar[str] = "post.jinja"

    frame: Frame
    post: PostShown
    neighbours: tuple[NeighbourShown, ...]
    back: str


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """An error, in one sentence."""

    template: ClassVar[str] = "error.jinja"

    frame: Frame
    message: str


@dataclass(frozen=True, slots=True)
class SignInPage:
    """Where a reader signs in.

    Attributes:
        by_account: Whether a name is asked for as well.
        back: Address of the page to go to then.
        note: What just happened; "" if nothing.
        wrong: Whether what was typed was not right.
    """

    template: ClassVar[str] = "sign_in.jinja"

    frame: Frame
    by_account: bool
    back: str
    note: str = ""
    wrong: bool = False


@dataclass(frozen=True, slots=True)
class StatusFragment:
    """Event "status": what is going on.

    Attributes:
        again: Address to ask again; "" offers nothing.
        cards: Replace all cards, `sources` those over the answer, and `more` the next page's address; none leaves all
            as they are.
        understood: The question as a model completed it; "" changes nothing.
    """

    template: ClassVar[str] = "status.jinja"

    labels: Labels
    words: str
    failed: bool = False
    again: str = ""
    cards: tuple[Card, ...] = ()
    sources: tuple[Card, ...] = ()
    more: str = ""
    understood: str = ""


@dataclass(frozen=True, slots=True)
class SentenceFragment:
    """Event "sentence": one more sentence, and the cards it cites with its quotes marked."""

    template: ClassVar[str] = "sentence.jinja"

    labels: Labels
    sentence: SentenceShown
    lang: str
    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class EndFragment:
    """Event "end": what stands under the answer, and what can be done with it.

    Attributes:
        rewritten: Whether the answer differs from what was streamed, and is sent again.
        note: Says if it could not be kept.
    """

    template: ClassVar[str] = "end.jinja"

    labels: Labels
    answer: AnswerShown
    actions: AnswerActions | None
    rewritten: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class FollowUpsFragment:
    """Event "followups": follow-up questions."""

    template: ClassVar[str] = "followups.jinja"

    labels: Labels
    followups: tuple[LinkShown, ...]


@dataclass(frozen=True, slots=True)
class FeedbackFragment:
    """The feedback given on an answer, in place of the form."""

    template: ClassVar[str] = "feedback.jinja"

    labels: Labels
    words: str


Context = (
    HomePage
    | SearchResultPage
    | PostPage
    | ErrorPage
    | NarrowedFragment
    | SignInPage
    | StatusFragment
    | SentenceFragment
    | EndFragment
    | FollowUpsFragment
    | FeedbackFragment
)
