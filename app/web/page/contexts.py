"""What each template may use: one dataclass per template, named in it. A test holds templates to this list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from app.web.page.page_request import Chip, PageRequest
from app.web.page.views.answer import AnswerShown, SentenceShown
from app.web.page.views.cards import Card, LinkShown
from app.web.page.views.conversation_view import AnswerActions, ConversationView
from app.web.page.words.labels import Labels, Ui


@dataclass(frozen=True, slots=True)
class Frame:
    """What is around every whole page.

    Attributes:
        title: Of the browser's tab, before the product's name; "" leaves the name alone.
        assets: Address of each file in static/ by its name, with a fingerprint of its content.
        other_ui: Address of the same page in the other language.
        unscripted: Address of the same page, whole without JavaScript, to which browsers without it are sent on;
            "" where this is it.
    """

    labels: Labels
    ui: Ui
    title: str
    assets: Mapping[str, str]
    asked: PageRequest
    home: str
    other_ui: str
    unscripted: str = ""


@dataclass(frozen=True, slots=True)
class HomePage:
    """The search box on an empty page; `examples` are questions with the address of each, `note` what just happened."""

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
        notes: What was typed and not taken as it may have been meant, one sentence each.
        chips: Filters that are set.
        sorts: Orders to choose from.
        tags: Tags of the posts found, with how many posts have each.
        folding: Address with near copies folded again; "" where they are.
        languages: Post languages to choose from: code to name.
        stream: Address of the answer's events; "" where the answer is in the page or there is none.
        answer: The whole answer; None where it will stream in, and on later pages of hits.
        understood: The question as it was completed from the conversation; "" where it was not.
        conversation: Earlier turns of the conversation.
        actions: What can be done with the answer; None where it is not kept, or not there yet.
        followups: Questions to go on with.
        first_page: Address of the page with the answer; "" where this is it.
        more: Address of the next page of hits; "" where there is none.
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
    actions: AnswerActions | None
    followups: tuple[LinkShown, ...]
    cards: tuple[Card, ...]
    first_page: str
    more: str


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """Why there is no other page, in one sentence."""

    template: ClassVar[str] = "error.jinja"

    frame: Frame
    message: str


@dataclass(frozen=True, slots=True)
class StatusFragment:
    """Event "status": what is going on.

    Attributes:
        again: Address under which to ask again; "" offers nothing.
        cards: Replace all that are shown, and `more` the next page's address; none leaves both alone.
        understood: What a model made of the question; "" leaves what is there.
    """

    template: ClassVar[str] = "status.jinja"

    labels: Labels
    words: str
    failed: bool = False
    again: str = ""
    cards: tuple[Card, ...] = ()
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
    """Event "end": the line under the answer, what turns out different from a written answer, and what can be done
    with it; `note` says where it could not be kept.
    """

    template: ClassVar[str] = "end.jinja"

    labels: Labels
    answer: AnswerShown
    actions: AnswerActions | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class FollowUpsFragment:
    """Event "followups": questions to go on with."""

    template: ClassVar[str] = "followups.jinja"

    labels: Labels
    followups: tuple[LinkShown, ...]


@dataclass(frozen=True, slots=True)
class FeedbackFragment:
    """What was said of an answer, in the place of the form that it was said with."""

    template: ClassVar[str] = "feedback.jinja"

    labels: Labels
    words: str


Context = (
    HomePage
    | SearchResultPage
    | ErrorPage
    | StatusFragment
    | SentenceFragment
    | EndFragment
    | FollowUpsFragment
    | FeedbackFragment
)
