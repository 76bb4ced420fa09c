"""The words of the page by name: one field for each phrase, filled in each language. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Ui = Literal["en", "zh"]


@dataclass(frozen=True, slots=True)
class Counted:
    """A phrase about a number of things, with `{n}` for the number."""

    one: str
    many: str

    def __call__(self, n: int) -> str:
        return (self.one if n == 1 else self.many).format(n=f"{n:,}")


@dataclass(frozen=True, slots=True)
class Labels:
    """One language's words. The type checker reports a field that a language lacks."""

    html_lang: str
    other_ui: str
    other_ui_name: str
    tagline: str
    skip: str
    skip_to_post: str
    query: str
    placeholder: str
    search: str
    suggestions: str
    kind_query: str
    kind_tag: str
    kind_title: str
    try_these: str
    nothing_else: str

    filters: str
    filter_author: str
    filter_tag: str
    filter_language: str
    filter_time: str
    filter_since: str
    filter_until: str
    filter_min_likes: str
    filter_likes: str
    filter_near: str
    filter_phrase: str
    filter_without: str
    filter_without_tag: str
    filter_without_author: str
    any_language: str
    apply: str
    remove: str

    looking: str
    reading: Counted
    waiting: str
    waiting_for: str
    withheld: Counted
    withheld_so_far: Counted
    withheld_why: str
    withheld_unsupported: str
    withheld_outdated: str
    withheld_beside_the_point: str
    withheld_repeated: str
    withheld_not_a_sentence: str
    withheld_language: str
    withheld_order: str
    withheld_markup: str
    withheld_forgotten: str
    written_by: str
    written_with_quotes: str
    quoted: str
    from_posts: Counted
    declined: str
    citation: str
    took: str
    lost: str
    again: str
    without_script: str
    stop: str
    stopped: str
    back_to_sentence: str
    in_a_comment: str
    show_in_list: str

    understood_as: str
    earlier: Counted
    earlier_heading: str
    sources: str
    withdrawn: Counted
    thoughts: str
    ask_next: str
    go_on: str
    go_on_placeholder: str
    ask: str
    helpful: str
    not_helpful: str
    said_up: str
    said_down: str
    why: str
    words: str
    send: str
    reason_wrong: str
    reason_not_in_posts: str
    reason_missed: str
    reason_outdated: str
    reason_unclear: str
    reason_other: str
    answer_link: str
    as_markdown: str
    markdown_sources: str
    copied: str
    delete: str
    deleted: str
    not_kept: str
    conversation_gone: str
    conversation_full: str
    feedback_gone: str

    posts: str
    nearest_posts: str
    later_posts: str
    first_page: str
    more: str
    sort: str
    sort_relevance: str
    sort_newest: str
    sort_most_liked: str
    tags_found: str
    similar: Counted
    fold_similar: str
    no_posts: str
    no_posts_filtered: str
    untitled: str
    likes: Counted
    collects: Counted
    comments: Counted
    comment_by: str
    comment_by_nobody: str
    pictures: Counted
    original: str
    whole_post: str
    shortened: str
    back_to_results: str
    stored_comments: Counted
    more_like_this: str
    post_gone: str
    close: str
    tagged: str
    all_posts: str

    help: str
    help_keys: str
    help_shortcuts: str
    key_ask: str
    key_next: str
    key_previous: str
    key_open: str
    key_close: str
    key_help: str
    help_query: str
    query_from: str
    query_tag: str
    query_phrase: str
    query_without: str
    query_since: str
    query_likes: str
    query_near: str

    sign_in: str
    sign_in_heading: str
    sign_in_shared: str
    sign_in_account: str
    account_name: str
    password: str
    sign_in_wrong: str
    sign_out: str
    signed_out: str
    members_only: str
    unknown_host: str
    other_site: str

    failed: str
    failed_unsaid: str
    not_found: str
    broken: str
    slow_down: str
    busy: str
    too_large: str
    too_slow: str
    home: str
    too_long: str
    bad_date: str
    bad_number: str
    bad_language: str
    empty_range: str
    too_many: str
