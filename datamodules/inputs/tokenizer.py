"""A text -> its words, by one of two sets of rules, which an input names.

Rules of both, in this order:

    1. a line break of HTML (<br>, <br />) is a space
    2. letters become lower case and are composed (Unicode's NFC); a curly apostrophe is straight
    3. a word is a run of letters and digits; apostrophes inside it stay ("don't", "o'clock")
    4. a number keeps its points and commas between digits ("3.5", "1,000")
    5. all else, punctuation too, only separates words

`words` has no others: a vowel sign of Hindi or Arabic separates there, as punctuation does; models
that learned so keep it. `unicode_words` also follows Unicode's word boundaries where these do not
change plain English (UAX #29, section 4.1, https://www.unicode.org/reports/tr29/):

    6. marks belong to the letter before them, joiners to the letters around them (WB4)
    7. other format characters, such as a soft hyphen, are passed over (WB4)
    8. in scripts without spaces between words (Chinese characters, Hiragana, Thai, Lao, Khmer,
       Burmese and their kin) each character with its marks is a word (WB999)
    9. Hebrew's gershayim stay inside a word (WB6-7c), the separators of Arabic numbers between
       digits (WB11-12)

A capital I with a dot becomes a plain i, its lower case in all languages that write it.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import cache
from typing import Literal

UNKNOWN_WORD = "\N{DOUBLE QUESTION MARK}"  # how an unknown word is shown; a word in both sets
Tokenizer = Literal["words", "unicode_words"]

_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_DOTTED = re.compile("i\N{COMBINING DOT ABOVE}+")  # str.lower of a capital I with a dot
_WORD = re.compile(rf"\d+(?:[.,]\d+)+|[^\W_]+(?:'[^\W_]+)*|{UNKNOWN_WORD}")

_JOINERS = "\u200c\u200d"
_SEPARATING = {0x200B, *range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2}
# format characters that separate: a space without width, and signs that stand before a number
_ATTACHED = {0x5F3, 0xE33, 0xEB3}  # no marks by their category: Hebrew's geresh, two vowels (GB9a)
_SPACELESS = (  # Unicode's Ideographic, Hiragana, and Line_Break=Complex_Context, with their marks
    (0xE00, 0xEFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x1950, 0x19DF), (0x1A20, 0x1AAF),
    (0x3006, 0x3007), (0x3021, 0x3029), (0x3038, 0x303A), (0x3041, 0x309F), (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF), (0xA9E0, 0xA9FF), (0xAA60, 0xAADF), (0xF900, 0xFAFF), (0x11700, 0x1174F),
    (0x1B001, 0x1B11F), (0x1B150, 0x1B152), (0x20000, 0x3FFFD),
)  # fmt: skip


def words(text: str) -> list[str]:
    """Cut a text into words by the rules 1 to 5; "It's 1,000 TIMES!" gives it's, 1,000, times.

    The words joined by spaces give the same words again.
    """
    return _WORD.findall(_plain(text))


def unicode_words(text: str) -> list[str]:
    """Cut a text into words by all rules; the same holds."""
    if text.isascii():
        return words(text)
    passed_over, word = _patterns()
    plain = _plain(passed_over.sub("", text))
    return word.findall(unicodedata.normalize("NFC", _DOTTED.sub("i", plain)))


def _plain(text: str) -> str:
    """A text by the rules 1 and 2."""
    lower = unicodedata.normalize("NFC", _BREAK.sub(" ", text).lower())
    return lower.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")


def cache_arguments(tokenizer: Tokenizer) -> dict[str, str]:
    """What the key of a cache says of the rules: nothing of the first ones, which need no name."""
    return {} if tokenizer == "words" else {"tokenizer": tokenizer}


RULES: dict[str, Callable[[str], list[str]]] = {"words": words, "unicode_words": unicode_words}


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """What finds the format characters that are passed over, and what finds words.

    Python's classes of characters beyond U+FFFF are slow: a look ahead spares most text from them.
    """
    characters = [*map(chr, [*range(0x20000), *range(0xE0100, 0xE01F0)])]  # where marks are
    category = {c: unicodedata.category(c) for c in characters}
    marks = _ranges(c for c in characters if category[c][0] == "M" or ord(c) in _ATTACHED)
    formats = _ranges(
        c for c in characters[:0x10000]
        if category[c] == "Cf" and ord(c) not in _SEPARATING and c not in _JOINERS
    )  # fmt: skip
    spaceless = [chr(i) for first, last in _SPACELESS for i in range(first, last + 1)]
    single = _ranges(c for c in spaceless if category.get(c, "Lo") in ("Lo", "Lm", "Nl"))
    letter, mark = rf"[^\W_{single}]", f"[{marks}]"
    attached = rf"(?![\0-\u02ff])(?:{mark}+|[{_JOINERS}]+(?={letter}|{mark})){letter}*"
    run = f"{letter}+(?:{attached})*"
    inside = "['\u05f4]|(?<=[\u05d0-\u05ea])\"(?=[\u05d0-\u05ea])"
    number, alone = r"\d+(?:[.,\u066b\u066c]\d+)+", rf"(?![\0-\u0dff])(?!{mark})[{single}]{mark}*"
    word = f"{number}|{run}(?:(?:{inside}){run})*|{alone}|{UNKNOWN_WORD}"
    return re.compile(f"[{formats}]"), re.compile(word)


def _ranges(characters: Iterable[str]) -> str:
    """Characters in their order as the ranges of a class of a regular expression."""
    ranges: list[list[int]] = []
    for i in map(ord, characters):
        if ranges and ranges[-1][1] == i - 1:
            ranges[-1][1] = i
        else:
            ranges.append([i, i])
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)
