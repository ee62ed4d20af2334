"""Texts -> words by Unicode's boundaries, as cards of before have it, and to English the same."""

# ruff: noqa: RUF001  letters of all scripts

import random
import unicodedata

import pytest

import zoo
from datamodules.bundled.negated_reviews import negated_reviews
from datamodules.inputs.text import TextInput
from datamodules.inputs.tokenizer import unicode_words, words
from datamodules.inputs.words import ContextInput
from datamodules.sources import parquet
from tests.data import opened

ZWNJ, ZWJ = "\u200c", "\u200d"
MARKED = {  # what a space parts, and nothing else does
    "Hindi": "हिन्दी में किताबें पढ़ना", "Bengali": "বাংলা ভাষায়", "Tamil": "தமிழ் நூல்கள்",
    "Telugu": "తెలుగు భాష", "Kannada": "ಕನ್ನಡ", "Malayalam": "മലയാളം", "Sinhala": f"ක්{ZWJ}ෂ සිංහල",
    "Arabic with vowels": "الْعَرَبِيَّةُ لُغَةٌ", "Hebrew with points": "שָׁלוֹם עֲלֵיכֶם",
    "Hebrew's own marks": "צה״ל צה\"ל ג׳ירפה", "Syriac": "ܐܲܠܵܗܵܐ", "Yoruba": "ọ̀rúnmìlà ń sọ̀rọ̀",
    "Persian": f"می{ZWNJ}خواهم کتاب{ZWNJ}ها", "half forms": f"क्{ZWJ}ष क्{ZWNJ}ष", "Tibetan": "ཡིག",
    "Russian with stress": "андре́й ива́нович", "Adlam": "𞤆𞤵𞤤𞤢𞤪", "Chakma": "𑄌𑄋𑄴𑄟𑄳𑄦",
    "Korean, Katakana": "한국어 ラーメン", "a number": "٣٫٥ १,००० 3.5",
}  # fmt: skip
CUT = {
    "İstanbul I\u0307yi IĞDIR": "istanbul iyi iğdir",  # as they write the small letters
    "e\u0301te\u0301 S\u0323\u0300": "été ṣ̀",
    "won\u00adder\u200bful a\ufeffb \u202eright": "wonder ful ab right",  # U+200B is a space
    f"श्री{ZWJ} {ZWNJ}a{ZWNJ} b": "श्री a b",  # a joiner with nothing to join
    "\u0301a \u0301 2\u20e3": "a 2\u20e3",  # a mark without a letter before it is no word
    "我爱北京 2024 人々": "我 爱 北 京 2024 人 々", "ひらがな𠮷": "ひ ら が な 𠮷",
    "ภาษา น้ำ ๑๒๓": "ภ า ษ า น้ำ ๑๒๓", "ខ្មែរ": "ខ្ មែ រ", "ພາສາລາວ": "ພ າ ສ າ ລ າ ວ",
    "မြန်မာ": "မြ န် မာ",
    "It’s «GOOD», naïve 3.5<br/>Straße": "it's good naïve 3.5 straße",
    "\N{SNOWMAN} ?": "",
}  # fmt: skip


@pytest.mark.parametrize("text", MARKED.values(), ids=MARKED)
def test_marks_and_joiners_stay_with_their_letters(text):
    assert unicode_words(text) == unicodedata.normalize("NFC", text.lower()).split()


@pytest.mark.parametrize(("text", "wanted"), CUT.items())
def test_the_rules_of_unicode(text, wanted):
    assert unicode_words(text) == unicodedata.normalize("NFC", wanted).split()


def test_words_of_any_characters_joined_by_spaces_are_the_same_words():
    draw = random.Random(0)
    planes = [
        (32, 127), (0x80, 0xD800), (0xE000, 0x20000), (0x300, 0x370), (0x5D0, 0x5F5), (73, 74),
        (0x900, 0xE60), (0x200B, 0x2010), (0x20000, 0x40000), (0xE0000, 0xE0200), (0x307, 0x308),
    ]  # fmt: skip
    for _ in range(5000):
        text = "".join(chr(draw.randrange(*draw.choice(planes))) for _ in range(15))
        cut = unicode_words(text)
        assert unicode_words(" ".join(cut)) == cut == " ".join(cut).split()


def test_both_rules_give_the_same_words_of_english():
    for text in negated_reviews().splits["all"].raws:
        assert unicode_words(f"“{text}” – isn’t it, café?") == words(f"{text} isn't it café")


@pytest.mark.real
@pytest.mark.parametrize("name", ["imdb", "rotten_tomatoes"])
def test_both_rules_give_the_same_words_of_real_english(name, tmp_path):
    location = zoo.create_data(name).locate()
    tables = parquet.tables(location, tmp_path)
    for split in tables.keys() - {"unsupervised"}:
        for text in tables[split]["text"]:
            assert unicode_words(text) == words(text)


def test_an_input_cuts_by_the_rules_that_it_names():
    """A card of before names none, and keeps the ids that its model learned from."""
    sides = {"max_length": 3, "padding": "pre", "truncating": "pre"}
    old, new = (TextInput(vocabulary=["हिन्दी", "ह", "न"], **sides, **more) for more in (
        {}, {"tokenizer": "unicode_words"},
    ))  # fmt: skip
    assert old("हिन्दी").tolist() == [[3, 4, 1]]
    assert new("हिन्दी").tolist() == [[0, 0, 2]]
    assert (new.read("हिन्दी"), old.read("हिन्दी")) == (["हिन्दी"], ["ह", "न", "द"])
    rules = {"vocabulary": ["हिन्दी", "ह"], "counts": [1, 1], "window": 2}
    assert ContextInput(**rules)("हिन्दी _").tolist() == [[0, 3, 0, 0]]
    new_context = ContextInput(**rules, tokenizer="unicode_words")
    assert new_context("हिन्दी _").tolist() == [[0, 2, 0, 0]]


def test_a_released_model_keeps_its_words():
    assert zoo.load("text_cnn.imdb").input.tokenizer == "words"
    assert zoo.load("cbow.python_docs").input.tokenizer == "words"


def test_own_texts_are_cut_by_unicode_unless_told_or_a_model_has_other_rules(tmp_path):
    rows = [f"हिन्दी {label},{label}" for label in "ab" for _ in range(20)]
    (tmp_path / "a.csv").write_text("\n".join(["text,label", *rows]), encoding="utf-8")
    new = opened("labelled_text", source=str(tmp_path / "a.csv"))
    old = opened("labelled_text", source=str(tmp_path / "a.csv"), tokenizer="words")
    assert (new.input.tokenizer, old.input.tokenizer) == ("unicode_words", "words")
    assert sorted(new.input.vocabulary) == ["a", "b", "हिन्दी"]
    assert sorted(old.input.vocabulary) == ["a", "b", "द", "न", "ह"]
    again = zoo.create_data("labelled_text", source=str(tmp_path / "a.csv"))
    again.use_input(old.input, old.info)  # as `zoo test` of an old model does
    again.setup("test")
    assert again.tensors("test")[0].tolist() == old.tensors("test")[0].tolist()


def test_running_text_of_ones_own_is_cut_by_unicode(tmp_path):
    (tmp_path / "a.txt").write_text("हिन्दी में किताबें\n\n" * 60, encoding="utf-8")
    data = opened("words", source=str(tmp_path / "a.txt"), batch_size=1000, window=1)
    assert sorted(data.input.vocabulary) == sorted(["हिन्दी", "में", "किताबें"])
    assert data.input.tokenizer == "unicode_words"
