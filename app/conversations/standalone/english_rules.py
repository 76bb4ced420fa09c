"""Completes English follow-up questions from the question before: pronouns, replaced parts, missing subjects.

Pure. Needs neither dictionary nor parser: it knows the few forms that follow-up questions take.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.conversations.standalone.context import EarlierQuestion
from app.conversations.standalone.english_words import (
    ANIMALS,
    EXPLETIVE,
    OTHER,
    PRONOUN,
    TIME,
    WORD,
    content,
    is_city,
    name_of_title,
    names,
    subject,
)
from retrieval.text.folding import han_runs
from retrieval.text.highlight import stem

_OPENER = re.compile(
    r"^(?:(?:ok(?:ay)?|so|and|but|or|also|then|hm+|well|thanks)\b[\s,]*)*(?:(?:what|how) about|what if)\b[\s,]*"
    r"|^(?:(?:ok(?:ay)?|and|but|or|so|also|then)\b[\s,]*)+",
    re.IGNORECASE,
)
_CORRECTION = re.compile(
    r"^(?:(?:no|sorry|wait|oops|actually)\b[\s,]*)*i (?:mean|meant|was asking about)\b[\s,]*", re.IGNORECASE
)
# These ask about all that the question before says, not about its subject alone.
_OF_ALL = re.compile(
    r"^(?:but )?(?:why(?: not)?|since when|until when|how come|says who|really|are you sure)$", re.IGNORECASE
)
_MOST_OPEN_WORDS = 3  # subject words of a question that may leave its subject out
_PREPOSITION = re.compile(
    r"^(in|on|at|for|with|without|near|by|during|to|from|after|before|around|of)\s+", re.IGNORECASE
)
_VERB = re.compile(
    r"\b(?:is|are|was|were|do|does|did|can|could|will|would|should|has|have|had|may|must|am|how|what|when|where|which"
    r"|who|why)\b",
    re.IGNORECASE,
)
_SEEKS = re.compile(
    r"^\s*(?:which|where can|where should|where do|what(?:'s| is| are)? the best|what (?:is|are) (?:a |some )?good|best"
    r"|good|any|is there|are there|recommend|suggest|find|looking for|who (?:can|does|is the best))\b",
    re.IGNORECASE,
)
_FRAME = re.compile(
    r"^(?:(?:how (?:much|many|long|often|far|old|hot|big|do|does|did|can|should|is|are)|what(?:'s)?|which|where|when"
    r"|why|who|is|are|was|were|do|does|did|can|could|should|would|will|has|have|i|you|we|one|it|there|the best|be|much"
    r"|long)\b\s*)+",
    re.IGNORECASE,
)
_OF_A_PLACE_WORDS = """
open opens opening close closes closing closed hours address where located location parking wifi internet socket
sockets seats cards cash book booking reservation reservations queue wait phone number toilets toilet metro
floor table tables dogs dog kids laptops laptop busy crowded far
"""
_OF_A_PLACE = frozenset(_OF_A_PLACE_WORDS.split())
_OPPOSITES = {
    "female": "male", "male": "female", "women": "men", "men": "women", "adults": "children", "children": "adults",
    "foreigners": "locals", "beginners": "experts", "hot": "cold", "cold": "hot",
}  # fmt: skip
_FEWEST_WORDS = 2
_MOST_ITEM_WORDS = 3  # subject words of a question that is only about an item that the posts mention
_ARTICLE = r"(?:an?|the|my|your|some)\s+"
_NOT_A_NOUN = (
    r"(?:is|are|was|were|cost|costs|be|take|takes|last|lasts|do|does|have|has|open|close|at|in|on|for|with|from|to|of|by|near"
    r"|without|there|when|during|after|before|and|or|than|per)\b"
)
_ITEM = re.compile(rf"\b(?:{_ARTICLE})(?!{_NOT_A_NOUN})[\w'’-]+(?:\s+(?!{_NOT_A_NOUN})[\w'’-]+){{0,2}}", re.IGNORECASE)


def complete(asked: str, earlier: Sequence[EarlierQuestion]) -> str | None:
    """The question, so that it stands alone; None if it already does, or if no earlier question helps.

    Args:
        asked: As typed.
        earlier: Earlier questions, oldest first.
    """
    before = next(
        (one for one in reversed(earlier) if subject(one.question) or names(one.question) or han_runs(one.question)),
        None,
    )
    if before is None:
        return None
    bare = asked.strip().rstrip("?？!. ").strip()
    if (corrected := _CORRECTION.sub("", bare)) and corrected != bare:
        return _changed(corrected, before)
    if _OF_ALL.match(bare):
        return f"{before.question.strip().rstrip('?？!. ')}: {bare}?"
    rest = _OPENER.sub("", bare).strip()
    if rest and OTHER.search(rest):
        return _the_other(before) or _about(bare, before)
    if is_city(_PREPOSITION.sub("", rest)) and not any(map(is_city, names(before.question))):
        # "And Beijing?" refers to the last question about some city.
        before = next((one for one in reversed(earlier) if any(map(is_city, names(one.question)))), before)
    if _has_open_pronoun(bare):
        return _with_referent(_OPENER.sub("", bare).strip() if _VERB.search(rest) else bare, before)
    opened = rest != bare
    if rest and not _VERB.search(rest) and (opened or _is_fragment(rest, asked)):
        return _changed(rest, before)
    if not subject(bare) and not names(bare):
        return _about(rest or bare, before)
    if opened and not names(rest) and len(subject(rest)) < _FEWEST_WORDS:
        return _about(rest, before)
    return _about_item(rest, before) or (_behind(bare, core(before.question)) if _leaves_out(bare, before) else None)


def _leaves_out(bare: str, before: EarlierQuestion) -> bool:
    """Whether a short question names no subject: a verb and one word, or words of what was asked or told before."""
    own = [stem(word) for word in subject(bare)]
    told = {stem(word) for word in content(" ".join([before.question, *before.titles, before.post_text]))}
    if names(bare) or len(own) > _MOST_OPEN_WORDS or _SEEKS.search(bare):
        return False
    return (len(own) < _FEWEST_WORDS and bool(_VERB.search(bare))) or any(word in told for word in own)


def referent(before: EarlierQuestion, asked: str = "") -> str:
    """What "it" stands for after a question: a name in it, else the name in the cited title, else its own words."""
    named = [name for name in names(before.question) if not is_city(name)]
    about_a_place = bool(set(content(asked)) & _OF_A_PLACE) or "where" in asked.lower().split()
    if named:
        item = _item_at(before.question, named[-1])
        return item if item and not about_a_place and "there" not in asked.lower().split() else named[0]
    if _seeks(before.question):
        titled = next((name for title in before.titles if (name := name_of_title(title))), "")
        if titled:
            return titled
    return core(before.question)


def core(question: str) -> str:
    """A question without its question words: what it is about.

    >>> core("How do I get my deposit back in London?")
    'get my deposit back in London'
    """
    bare = question.strip().rstrip("?？!. ")
    return _FRAME.sub("", bare).strip() or bare


def _seeks(question: str) -> bool:
    """Whether it looks for something whose name is in the post that was found."""
    return bool(_SEEKS.search(question)) or not _VERB.search(question)


def _has_open_pronoun(bare: str) -> bool:
    """Whether it has a pronoun ("it", "they", "there" and so on) for something that it does not name."""
    shown = EXPLETIVE.sub(lambda found: " " * len(found.group()), bare)
    found = PRONOUN.search(shown)
    if found is None:
        return False
    ahead = bare[: found.start()]
    return not names(ahead) and (found.group().lower() in {"there", "that place"} or not subject(ahead))


def _is_fragment(rest: str, asked: str) -> bool:
    """Whether it is only a part of a sentence: "in London?", "an espresso?", "Blue Door?"."""
    if _PREPOSITION.match(rest):
        return True
    asks = asked.rstrip().endswith(("?", "？"))
    return bool(subject(rest)) and asks and len(content(rest)) <= _FEWEST_WORDS


def _with_referent(bare: str, before: EarlierQuestion) -> str:
    """The question with its pronoun replaced, or, if that is not grammatical, with the subject after it."""
    name = referent(before, bare)
    # A verb phrase ("get my deposit back") cannot replace "it".
    if (
        name == core(before.question)
        and not _ITEM.fullmatch(name)
        and _VERB.search(before.question)
        and not names(name)
    ):
        return _behind(bare, name)
    if name == core(before.question) and len(name.split()) > 4 and not _seeks(before.question):
        return _behind(bare, name)
    filled = EXPLETIVE.search(bare)
    done = False

    def fill(found: re.Match[str]) -> str:
        nonlocal done
        if done or (filled and filled.start() <= found.start() < filled.end()):
            return found.group()
        done = True
        word = found.group().lower()
        if word == "there":
            return f"at {name}"
        if word in {"its", "their", "theirs", "his"} or (word == "her" and bare[found.end() :].strip()):
            return f"{name}'s"
        return name

    replaced = PRONOUN.sub(fill, bare)
    return f"{replaced}?" if _VERB.search(replaced) else replaced


def _about(bare: str, before: EarlierQuestion) -> str:
    """A question without a subject, completed with the subject of the question before."""
    name = referent(before, bare)
    if re.match(r"(?:is|are|was|were)\s+there\b|do you need|can (?:i|you|we)\b|any\b", bare, re.IGNORECASE) and names(
        name
    ):
        return f"{bare} at {name}?"
    return _behind(bare, name) if _VERB.search(bare) else f"{name} {bare}"


def _behind(bare: str, name: str) -> str:
    return f"{bare}: {name}?"


def _about_item(bare: str, before: EarlierQuestion) -> str | None:
    """A question about an item that the posts cited before mention, completed with the place that they name."""
    things = subject(bare)
    name = referent(before, "there")
    if not _VERB.search(bare) or names(bare) or not things or len(things) > _MOST_ITEM_WORDS or not names(f"x {name}"):
        return None
    mentioned = {stem(word) for word in content(before.post_text)}
    return f"{bare} at {name}?" if all(stem(word) in mentioned for word in things) else None


def _the_other(before: EarlierQuestion) -> str:
    """The question before, about the second place that was cited; "" if there is none."""
    titled = list(dict.fromkeys(name for title in before.titles if (name := name_of_title(title))))
    named = [name for name in names(before.question) if not is_city(name)]
    others = [name for name in titled if name not in named[:1]]
    other = others[0] if named and others else others[1] if len(others) > 1 else ""
    if not other:
        return ""
    return before.question.replace(named[0], other) if named else f"{other}: {core(before.question)}"


def _changed(rest: str, before: EarlierQuestion) -> str:
    """The question before, with the new part in place of the part it replaces."""
    question = before.question.strip()
    if TIME.fullmatch(rest):
        return _in_place(TIME, rest, question)
    found = _PREPOSITION.match(rest)
    preposition, thing = (found.group(1), rest[found.end() :].strip()) if found else ("", rest)
    name = next(iter(names(f"x {thing}")), "")
    if name and re.fullmatch(rf"(?:{_ARTICLE})?{re.escape(name)}", thing, re.IGNORECASE):
        of_cities = is_city(name)
        olds = [old for old in names(question) if is_city(old) == of_cities]
        if olds:
            return question.replace(olds[-1] if of_cities else olds[0], name)
        return _appended(question, rest if preposition else f"in {name}" if of_cities else f"at {name}")
    if not subject(thing):
        return _about(rest, before)
    other = _OPPOSITES.get(thing.split()[-1].lower(), "")
    if other and re.search(rf"\b{other}\b", question, re.IGNORECASE):
        return _swap(question, rf"\b{other}\b", thing.split()[-1])
    old_animal = next((word for word in WORD.findall(question) if word.lower() in ANIMALS), "")
    if thing.split()[-1].lower() in ANIMALS and old_animal:
        return _swap(question, rf"(?:{_ARTICLE})?\b{re.escape(old_animal)}\b", thing)
    if preposition:
        phrase = rf"\b{preposition}\s+(?:{_ARTICLE})?(?:[\w'’-]+\s*){{1,3}}?(?=\s+{_NOT_A_NOUN}|[?.!]|$)"
        same = re.search(phrase, question, re.IGNORECASE)
        return _swap(question, re.escape(same.group()), rest) if same else _appended(question, rest)
    shared = re.search(rf"\b(?:{_ARTICLE})?[\w'’-]+\s+{re.escape(thing.split()[-1])}\b", question, re.IGNORECASE)
    if shared and len(thing.split()) > 1:
        return _swap(question, re.escape(shared.group()), thing)
    item = next((one for one in _ITEM.finditer(question) if not names(f"x {one.group()}")), None)
    if item is not None:
        return _swap(question, re.escape(item.group()), thing)
    plain = [
        word for word in WORD.findall(_without_names(question)) if word.lower() in subject(_without_names(question))
    ]
    return _swap(question, rf"\b{re.escape(plain[-1])}\b", thing) if plain else f"{core(question)} {thing}"


def _in_place(pattern: re.Pattern[str], new: str, question: str) -> str:
    old = pattern.search(question)
    if old is None:
        return _appended(question, new)
    bare_new = _PREPOSITION.sub("", new)
    has_preposition = _PREPOSITION.match(old.group())
    return question[: old.start()] + (new if has_preposition or bare_new == new else bare_new) + question[old.end() :]


def _item_at(question: str, name: str) -> str:
    """'a flat white at Blue Door', if a question names an item and its place; "" otherwise."""
    found = re.search(rf"({_ITEM.pattern})\s+(?:at|in|from)\s+{re.escape(name)}", question, re.IGNORECASE)
    return found.group() if found else ""


def _without_names(question: str) -> str:
    for name in names(question):
        question = question.replace(name, " ")
    return question


def _swap(question: str, old: str, new: str) -> str:
    return re.sub(old, lambda _: new, question, count=1, flags=re.IGNORECASE)


def _appended(question: str, more: str) -> str:
    end = "?" if question.endswith(("?", "？")) else ""
    return f"{question.rstrip('?？ ')} {more}{end}"
