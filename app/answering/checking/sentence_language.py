"""Whether a model's sentence is in another language than the question. Pure.

Script tells Chinese from English (retrieval.text.language); languages in Latin letters are told apart by their most
common function words, and only by several of them: sentences about travelling are full of foreign names and dishes.
"""

from __future__ import annotations

import re

from retrieval.text.folding import han_runs
from retrieval.text.language import ANSWERED, UNKNOWN, detect_language

# The most common words that the other languages do not share, as in any list of stop words.
_FUNCTION_WORDS = {
    "en": "the and is are was were of to in it that for with you not this but have they from at be by an"
    " there here only can will would its has had your we our on as or if so than then when what which"
    " who how all about no do does",
    "fr": "le la les des du une est sont et dans pour avec vous nous pas cette qui que sur au aux plus mais"
    " ou votre ici il elle ce ne se par son sa ses leur tout fait être je très",
    "de": "der die das und ist sind nicht ein eine mit für auf von dem den im zu sie wir ich auch aber oder"
    " wenn hier nur wird werden haben hat sich bei nach aus einen einer es",
    "es": "el los las una es son y en para con usted no esta que por del al más pero su aquí como este muy se"
    " lo todo hay tiene está cuesta sin",
    "it": "il gli una è sono e per con non questo che del della più ma qui come molto si al alla di da nel"
    " nella ha costa tutto anche",
    "pt": "o os as uma é são e em para com não este que por do da mais mas aqui como muito se ao na no tem"
    " está custa também você",
    "nl": "de het een is zijn en van op voor met niet dit dat maar hier ook als naar bij wordt worden hebben"
    " heeft u wij ik er te aan om",
    "id": "yang dan di ini itu dengan untuk tidak dari ke adalah pada akan ada anda bisa juga atau saya hanya",
    "tr": "ve bir bu için ile değil çok var daha gibi ama olarak ne de da kadar sadece burada fiyatı",
    "vi": "và là của có không này cho với được trong người các một những thì ở đây giá",
}
_LANGUAGES = {language: frozenset(words.split()) for language, words in _FUNCTION_WORDS.items()}
_WORD = re.compile(r"[^\W\d_]+")
_FEWEST = 2
# Fewer letters of another script are a name or a dish.
_OTHER_SCRIPT = re.compile(
    r"[\u0370-\u03ff\u0400-\u04ff\u0590-\u06ff\u0900-\u0e7f\u1100-\u11ff\u3040-\u30ff\uac00-\ud7af]"
)
_FEWEST_LETTERS = 6


def language_of(text: str) -> str:
    """The language of a text by its script and, in Latin letters, its function words; "und" where neither tells."""
    script = detect_language(text)
    if script != "en":
        return script
    words = [word.lower() for word in _WORD.findall(text)]
    counts = {name: sum(word in own for word in words) for name, own in _LANGUAGES.items()}
    best = max(counts, key=lambda name: counts[name])
    # English wins a tie: Latin letters without function words are mostly names.
    return best if counts[best] >= _FEWEST and counts[best] > counts["en"] else "en"


def is_foreign(quote: str, title: str) -> bool:
    """Whether a quote is clearly in a third language, although its post's title is in one that questions are answered
    in: who asked cannot read it, and moderators could not either.

    >>> is_foreign("Phone repair: escribe a Ana, la pantalla por 5 euros", "Phone repair")
    True
    >>> is_foreign("の湯, 12元", "泡汤")
    False
    """
    if detect_language(title) not in ANSWERED:
        return False
    if len(_OTHER_SCRIPT.findall(quote)) >= _FEWEST_LETTERS:
        return True
    return detect_language(quote) == "en" and language_of(quote) != "en"


def strays(sentence: str, question: str) -> bool:
    """Whether a sentence is clearly in another language than its question.

    >>> strays("Le café est très bon et pas cher.", "Is the coffee good?"), strays("The Café de Flore.", "Which cafe?")
    (True, False)
    """
    written, asked = language_of(sentence), language_of(question)
    if written in {asked, UNKNOWN} or asked == UNKNOWN:
        return False
    if asked == "zh" and written == "en" and (han_runs(sentence) or len(_WORD.findall(sentence)) < 4):
        return False  # 38元 beside an English name
    # Stipple answers in English where it does not know the question's language.
    return not (written == "en" and asked != "zh")
