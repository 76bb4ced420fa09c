"""English words that show whether a question depends on the one before it. Pure."""

from __future__ import annotations

import re

from retrieval.query.places import CITIES

# What can be asked about nearly any topic. A question of these words alone names no subject.
_ASPECTS_WORDS = """
price prices pricing cost costs charge charged charges fee fees fare rent expensive cheap cheaper cheapest
pricey pay paid paying payment deposit ticket tickets discount tip budget money much many long often far old big
large small size tall heavy weight weigh last lasts lasting hot cold warm loud noisy noise quiet busy crowded
popular open opens opening opened close closes closing closed hours hour time times day days week weeks month
months year years date schedule late early today now still already always usually exactly address location
located place places area street floor station metro subway bus parking park toilet toilets bathroom restroom
wifi internet socket sockets outlet outlets plug plugs power seat seats seating table tables book booking
bookings reserve reservation reservations appointment appointments queue queues queueing line wait waiting menu
vegan vegetarian halal options option card cards cash pay alipay wechat credit phone number email website
contact link name owner kids children child kid stroller document documents paper papers paperwork form forms
requirement requirements materials needed need needs required work works worked working happen happens happened
help helps helped take takes took taken get got go going goes come use used try tried buy bought sell sold find
found bring know tell said say recommend recommended suggest good bad better best worse worst worth nice safe
dangerous clean dirty fresh tasty taste tastes real true sure different difference more less other others
another else example examples detail details reason reasons problem problems alternative alternatives similar
same kind type sort recipe steps ingredients quality condition reviews review opinion opinions people anyone
someone somebody anything something step way ways thing things please thanks really also too again there here
many any some
"""
ASPECTS = frozenset(_ASPECTS_WORDS.split())
_ANIMALS_WORDS = """
cat cats kitten kittens dog dogs puppy puppies rabbit rabbits hamster pet pets
"""
ANIMALS = frozenset(_ANIMALS_WORDS.split())

_STOP_WORDS = """
a an the and or but if so then ok okay of to in on at for with without from by near about as than into per is
are was were be been being am do does did doing done has have had can could will would should shall may might
must i me my we us our you your he him his she her hers it its they them their theirs this that these those what
which who whom whose when where why how not no yes just only very there here one ones i'm it's that's what's
where's how's who's don't doesn't didn't isn't aren't wasn't can't won't let let's tell
"""
_STOP = frozenset(_STOP_WORDS.split())
_QUESTION_WORDS_WORDS = """
what which who whom whose when where why how is are was were do does did can could will would should has have
had may might am must any anything anyone tell show give find list recommend suggest compare explain i my we our
the a an best good cheap cheapest quiet nice top great is there in on at for from with without near and or but
if so then ok okay also please moving getting taking making going running buying finding living working cooking
first last new my your meet visit try trying
"""
_QUESTION_WORDS = frozenset(_QUESTION_WORDS_WORDS.split())

TIME = re.compile(
    r"\b(?:(?:on|in|at|during|for|over|every|this|next|the)\s{1,3}){0,4}"
    r"(?:(?:mon|tues|wednes|thurs|fri|satur|sun)days?|week ?ends?|week ?days?|mornings?|afternoons?|evenings?|nights?"
    r"|noon|midnight|lunch(?:time)?|spring|summer|autumn|winter|rainy season|holidays?|new year|christmas|tomorrow"
    r"|today|tonight|january|february|march|april|may|june|july|august|september|october|november|december"
    r"|(?:19|20)\d\d)\b",
    re.IGNORECASE,
)
WORD = re.compile(r"[A-Za-z0-9£$€]+(?:[-'’&.][A-Za-z0-9]+)*")
# Days and months are not names here.
_DAY = re.compile(
    r"(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|january|february|march|april|june|july|august|september|october"
    r"|november|december|weekends?|weekdays?|on|in|at)s?",
    re.IGNORECASE,
)
# "is it safe to", "how long does it take to": this "it" refers to what follows.
EXPLETIVE = re.compile(
    r"\b(?:is|was|isn't)\s+it\s+(?:\w+\s+){0,2}?(?:to|that|if|when|for)\b|\b(?:does|did|will|would)\s+it\s+(?:take|cost)\s+"
    r"(?:\w+\s+)?to\b|\b(?:is|are|was|were|isn't|aren't)\s+there\b|\bthere(?:'s| is| are| was| were)\b"
    r"|\bwhat time is it\b|\bit\s+(?:rains|snows|is raining|is snowing)\b",
    re.IGNORECASE,
)
PRONOUN = re.compile(
    r"\bthe other (?:one|place|shop|cafe|post)\b|\b(?:that|this|the same|the first) (?:one|place|shop|cafe|store"
    r"|restaurant|clinic|person|thing)\b|\b(?:they|them|their|theirs|it|its|she|her|he|him|his|there|those|these)\b"
    r"|\b(?:that|this)\b(?!\s+(?:week|month|year|time|summer|winter|[a-z]+(?:s|ed)\b))",
    re.IGNORECASE,
)
OTHER = re.compile(r"\b(?:the|that) other (?:one|place|shop|cafe|post)\b", re.IGNORECASE)
_RUN = re.compile(
    r"(?<![\w'’-])[A-Z][\w'’-]*(?:(?:\s+&\s+|\s+of\s+(?:the\s+)?|\s+)(?:[A-Z][\w'’-]*|\d+\b|[A-Z]?\d[\w]*))*"
)
_SEPARATOR = re.compile(r"[,:;(|–—!?。，：！？]|\s-\s|\.\s")


def content(text: str) -> list[str]:
    """The words of a question that carry its meaning, lower case, in order.

    >>> content("How much is a flat white at Blue Door?")
    ['much', 'flat', 'white', 'blue', 'door']
    """
    words = [word.lower().replace("’", "'").removesuffix("'s") for word in WORD.findall(text)]
    return [word for word in words if word not in _STOP]


def subject(text: str) -> list[str]:
    """The content words that name a subject: without aspects and times."""
    return [word for word in content(TIME.sub(" ", text)) if word not in ASPECTS]


def is_city(name: str) -> bool:
    """Whether it is one of the large cities (or a country that questions name)."""
    return name.lower() in CITIES or name in _COUNTRIES


_COUNTRIES_WORDS = """
China Japan Thailand Korea Vietnam Malaysia Indonesia India England Britain Scotland UK USA America Canada
Australia Germany France Italy Spain Portugal Netherlands Austria Switzerland Europe Asia Yunnan Sichuan Taiwan
"""
_COUNTRIES = frozenset(_COUNTRIES_WORDS.split())


def names(text: str) -> list[str]:
    """Proper names, in order: runs of capitalised words; a question's first word only if it is not a usual first word.

    >>> names("Where has Pebble & Pour moved?"), names("Is Menya Kumo in Tokyo open?")
    (['Pebble & Pour'], ['Menya Kumo', 'Tokyo'])
    """
    found = []
    for run in _RUN.finditer(text):
        name, words = run.group(), run.group().split()
        while words and (words[0].lower() in _QUESTION_WORDS or _DAY.fullmatch(words[0])):
            words = words[1:]
            name = name.split(None, 1)[1] if words else ""
        begins = not text[: run.start()].strip() or text[: run.start()].rstrip()[-1] in ".!?:"
        # A lone word at the beginning of a sentence is capitalised anyway.
        if name and not (
            begins and len(words) == 1 == len(run.group().split()) and name.isalpha() and not is_city(name)
        ):
            found.append(name.removesuffix("'s").removesuffix("’s"))
    return found


def name_of_title(title: str) -> str:
    """The shop, thing or person that a post's title is about; "" if it names none.

    >>> name_of_title("Alley Owl, Yuyuan Road: the upstairs"), name_of_title("Got £620 back")
    ('Alley Owl', '')
    """
    head = _SEPARATOR.split(title.strip(), maxsplit=1)[0].strip()
    if re.fullmatch(r"[A-Z][\w'’-]+", head) and head.lower() not in _QUESTION_WORDS and not is_city(head):
        return head
    for name in names(head):
        if not is_city(name):
            return name
    # The title's first word is a name if its spelling is not that of a capitalised common word.
    first = head.split(" ", 1)[0] if head else ""
    return first if re.fullmatch(r"[A-Z]\w*-[A-Z]\w*|[A-Z]+\d\w*|[A-Z]\w*[A-Z]\w*", first) else ""
