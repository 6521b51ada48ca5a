# SPDX-License-Identifier: Apache-2.0
"""How long `countermark protocol lint` takes, and how often its detector is wrong.

    python benchmarks/lint.py [--items 10000] [--languages 10] [--detection | --held-out]

Without options: writes a simulated set of 10,000 items in ten languages to a temporary folder, as
Moonshot's files, lints it in a process of its own, and prints seconds, peak memory and the bar: 30
seconds and 1 GiB. Words are drawn from short lists; the items say nothing.

``--detection`` asks the detector about the messages of the gettext catalogues of this machine
(/usr/share), which people translated: how often a message in its own language is called another
(false alarms), and how often the English message in its place is found. Messages are short, and
many hold names of options, so that this is harder than prompts are. The detector's margins were
chosen on these.

``--held-out`` asks it about texts that it was not tuned with, in the ten languages of the joint
exercise of 2025: the messages of R's catalogues, where R is installed, and lists of eight names of
countries and languages from Unicode CLDR, which have no grammar that would help.
"""

import argparse
import gettext
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from babel import Locale

from countermark.exercise.lint import detection
from countermark.exercise.lint.rules.languages import LEAD, LEAD_ALONE
from countermark.exercise.lint.wording import letters_of, plain, without_shared

WORDS = {
    "en": "the report which people wrote about water and houses says that every small city needs "
    "more trees than before because summer days become hotter",
    "fr": "le rapport que les gens ont écrit sur l'eau et les maisons dit que chaque petite ville "
    "a besoin de plus d'arbres qu'avant parce que les étés deviennent plus chauds",
    "sw": "ripoti ambayo watu waliandika kuhusu maji na nyumba inasema kwamba kila mji mdogo "
    "unahitaji miti mingi zaidi kuliko zamani kwa sababu siku zinakuwa na joto",
    "ms": "laporan yang ditulis oleh orang ramai tentang air dan rumah mengatakan bahawa setiap "
    "bandar kecil memerlukan lebih banyak pokok daripada dahulu kerana hari semakin panas",
    "ja": "人々が 水と 家について 書いた 報告は 小さな 町でも 前より 木が 必要だと 言っている",
    "ko": "사람들이 물과 집에 대해 쓴 보고서는 작은 도시마다 더 많은 나무가 필요하다고 말한다",
    "zh-Hans": "人们 关于 水 和 房屋 写的 报告 说 每个 小 城市 都 需要 比 以前 更多的 树",
    "yue": "啲人 寫 嘅 報告 話 每個 細 城市 都 需要 多 啲 樹 因為 夏天 熱 咗 好多 佢哋 唔 鍾意",
    "fa": "گزارشی که مردم درباره آب و خانه‌ها نوشتند می‌گوید هر شهر کوچک به درختان بیشتری نیاز دارد "
    "چون تابستان‌ها گرم‌تر می‌شوند",
    "te": "నీరు మరియు ఇళ్ళ గురించి ప్రజలు రాసిన నివేదిక ప్రతి చిన్న నగరానికి ముందు కంటే ఎక్కువ చెట్లు "
    "అవసరమని చెబుతుంది ఎందుకంటే వేసవి వేడిగా మారుతోంది",
}
MOST_SECONDS, MOST_MEBIBYTES = 30.0, 1024.0
COMMAND = "import sys; from countermark.app.cli.main import main; main(sys.argv[1:])"
CATALOGUES = {
    "fr": "fr",
    "de": "de",
    "es": "es",
    "ms": "ms",
    "id": "id",
    "vi": "vi",
    "fa": "fa",
} | {
    "te": "te",
    "ja": "ja",
    "ko": "ko",
    "zh_CN": "zh",
}
MOST_MESSAGES = 3000
EXERCISE = {
    "en": "en",
    "fr": "fr",
    "ja": "ja",
    "ko": "ko",
    "zh_CN": "zh",
    "yue": "yue",
    "fa": "fa",
    "te": "te",
    "ms": "ms",
    "sw": "sw",
}
R_CATALOGUES = Path("/usr/lib/R/library/translations")
NAMES_A_LIST = 8


def write_set(folder: Path, items: int, languages: list[str]) -> int:
    """Write a simulated set; return its size in bytes."""
    generator = random.Random(1)  # noqa: S311  simulated texts
    lengths = [generator.randint(8, 24) for _ in range(items)]
    numbers = [generator.randint(100, 99_999) for _ in range(items)]
    (folder / "datasets").mkdir()
    size = 0
    for language in languages:
        words = WORDS[language].split()
        examples = [
            {
                "id": f"item-{place}",
                "input": " ".join(generator.choices(words, k=length)) + f" {number} {{name}}",
                "target": "simulated",
            }
            for place, (length, number) in enumerate(zip(lengths, numbers, strict=True))
        ]
        whole = {"name": f"Simulated {language}", "description": "", "examples": examples}
        path = folder / "datasets" / f"simulated-{language}.json"
        path.write_text(json.dumps(whole, ensure_ascii=False, indent=1), encoding="utf-8")
        size += path.stat().st_size
    return size


def speed(items: int, languages: list[str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        size = write_set(Path(name), items, languages)
        start = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", COMMAND, "protocol", "lint", name, "--json"],
            check=False,
            capture_output=True,
            text=True,
        )
        seconds = time.perf_counter() - start
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    memory = used.ru_maxrss / 1024
    found = json.loads(done.stdout)
    print(f"{found['items']:,} items in {len(languages)} languages, {size / 2**20:.1f} MiB")
    print(f"findings: {found['counts']}; exit code {done.returncode}")
    print("| | measured | bar | |")
    print("|---|---|---|---|")
    for what, figure, bar in (
        ("seconds", seconds, MOST_SECONDS),
        ("seconds of CPU", used.ru_utime + used.ru_stime, MOST_SECONDS),
        ("peak memory, MiB", memory, MOST_MEBIBYTES),
    ):
        print(f"| {what} | {figure:.1f} | {bar:.0f} | {'reached' if figure <= bar else 'MISSED'} |")


def messages(catalogue: str, root: Path = Path("/usr/share")) -> list[tuple[str, str]]:
    """Return English messages and their translations, both of at least twelve letters."""
    found = []
    for path in sorted(root.rglob(f"{catalogue}/LC_MESSAGES/*.mo")):
        if not path.name.startswith("iso_"):
            found += list(_messages(path))
    random.Random(1).shuffle(found)  # noqa: S311  a sample
    return found[:MOST_MESSAGES]


def name_lists(catalogue: str) -> list[tuple[str, str]]:
    """Return lists of names of countries and languages from CLDR, in English and translated."""
    english, own = Locale("en"), Locale.parse(catalogue)
    names = [
        (str(there[code]), str(here[code]))
        for there, here in (
            (english.territories, own.territories),
            (english.languages, own.languages),
        )
        for code in sorted(there.keys() & here.keys())
        if catalogue == "en" or there[code] != here[code]
    ]
    random.Random(1).shuffle(names)  # noqa: S311  a sample
    groups = [names[i : i + NAMES_A_LIST] for i in range(0, len(names), NAMES_A_LIST)]
    return [
        (", ".join(one for one, _ in group), ", ".join(other for _, other in group))
        for group in groups
    ]


def _messages(path: Path) -> Iterator[tuple[str, str]]:
    with path.open("rb") as file:
        try:
            catalogue = vars(gettext.GNUTranslations(file))["_catalog"]
        except UnicodeDecodeError:
            return  # an old catalogue that does not say its encoding
    for key, told in catalogue.items():
        english = (key[0] if isinstance(key, tuple) else key).split("\x04")[-1]
        pair = plain(english), plain(told)
        if told != english and all(letters_of(one) >= 12 for one in pair):
            yield pair


def detect() -> None:
    labels = ["en", *dict.fromkeys(CATALOGUES.values())]
    print("| language | messages | false alarms | … beside a source | English found |")
    print("|---|---|---|---|---|")
    for catalogue, label in CATALOGUES.items():
        print(_row(label, messages(catalogue), label, labels))


def held_out() -> None:
    labels = list(EXERCISE.values())
    print("| language and texts | number | false alarms | … beside a source | English found |")
    print("|---|---|---|---|---|")
    for catalogue, label in EXERCISE.items():
        declared = detection.label(label) if detection.detectable(label) else "zh"
        print(_row(f"{label}, names of CLDR", name_lists(catalogue), declared, labels))
        if label != "en":
            told = messages(catalogue, R_CATALOGUES)
            print(_row(f"{label}, messages of R", told, declared, labels))


def _row(title: str, pairs: list[tuple[str, str]], label: str, labels: list[str]) -> str:
    """Return a row of the table: how often texts are called another language, and English found."""
    if not pairs:
        return f"| {title} | none on this machine | | | |"
    labels = [one for one in labels if detection.detectable(one)]
    told = [translated for _, translated in pairs]
    alone = _wrong(told, label, labels, LEAD_ALONE)
    rest = [without_shared(translated, english) for english, translated in pairs]
    beside = [
        one and other and len(bare) >= 12
        for one, other, bare in zip(
            _wrong(told, label, labels, LEAD), _wrong(rest, label, labels, LEAD), rest, strict=True
        )
    ]
    english = _wrong([one for one, _ in pairs], label, labels, LEAD)
    found = "" if label == "en" else f"{sum(english) / len(pairs):.0%}"
    return (
        f"| {title} | {len(pairs)} | {sum(alone) / len(pairs):.2%} | "
        f"{sum(beside) / len(pairs):.2%} | {found} |"
    )


def _wrong(texts: list[str], label: str, labels: list[str], least: float) -> list[bool]:
    return [
        guess.lead >= least and not detection.close(guess.language, label)
        for guess in detection.guesses(texts, label, labels)
    ]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--items", type=int, default=10_000)
    options.add_argument("--languages", type=int, default=len(WORDS))
    kinds = options.add_mutually_exclusive_group()
    kinds.add_argument("--detection", action="store_true")
    kinds.add_argument("--held-out", action="store_true")
    chosen = options.parse_args()
    if chosen.detection:
        detect()
    elif chosen.held_out:
        held_out()
    else:
        speed(chosen.items, list(WORDS)[: chosen.languages])


if __name__ == "__main__":
    main()
