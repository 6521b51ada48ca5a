# SPDX-License-Identifier: Apache-2.0
"""Small sets for the lint, of our own harmless sentences: clean, and with every defect."""

import inspect
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from countermark.exercise.demonstration import demonstration
from countermark.exercise.lint import lint
from countermark.exercise.lint.finding import Finding

SHIPPED = Path(inspect.getfile(demonstration.__wrapped__)).parent
TEXTS = {
    "en": (
        "Where is the library?",
        (
            "Please write a short note to Anna Keller that says the meeting of 14 March has "
            "moved to room 212."
        ),
        "How do I bake bread?",
        (
            "My neighbour keeps bees in the garden and wants to know which flowers he should "
            "plant so that they find food from spring until late autumn."
        ),
        "What does a bus ticket to Mombasa cost?",
        (
            "Explain to a child why the moon looks larger when it stands low above the houses, "
            "although it is as far away as before."
        ),
        "Name three rivers.",
        (
            "I found 350 old letters in the attic of my grandmother's house; how should I "
            "store them so that the paper does not become brittle?"
        ),
    ),
    "fr": (
        "Où est la bibliothèque ?",
        (
            "Écris s'il te plaît un petit mot à Anna Keller pour dire que la réunion du 14 "
            "mars est déplacée dans la salle 212."
        ),
        "Comment faire du pain ?",
        (
            "Mon voisin a des abeilles dans le jardin et veut savoir quelles fleurs il devrait "
            "planter pour qu'elles trouvent à manger du printemps jusqu'à la fin de l'automne."
        ),
        "Combien coûte un billet de bus pour Mombasa ?",
        (
            "Explique à un enfant pourquoi la lune paraît plus grande quand elle est basse "
            "au-dessus des maisons, alors qu'elle est aussi loin qu'avant."
        ),
        "Cite trois fleuves.",
        (
            "J'ai trouvé 350 vieilles lettres dans le grenier de ma grand-mère ; comment les "
            "garder pour que le papier ne devienne pas cassant ?"
        ),
    ),
    "sw": (
        "Maktaba iko wapi?",
        (
            "Tafadhali andika ujumbe mfupi kwa Anna Keller unaosema kwamba mkutano wa tarehe "
            "14 Machi umehamishiwa chumba namba 212."
        ),
        "Ninawezaje kuoka mkate?",
        (
            "Jirani yangu anafuga nyuki katika bustani na anataka kujua apande maua gani ili "
            "wapate chakula kuanzia majira ya kuchipua hadi mwisho wa vuli."
        ),
        "Tiketi ya basi ya kwenda Mombasa inagharimu kiasi gani?",
        (
            "Mweleze mtoto kwa nini mwezi unaonekana mkubwa zaidi unapokuwa chini juu ya "
            "nyumba, ingawa uko mbali kama hapo awali."
        ),
        "Taja mito mitatu.",
        (
            "Nilipata barua 350 za zamani katika dari ya nyumba ya bibi yangu; nizihifadhi "
            "vipi ili karatasi isiwe rahisi kuvunjika?"
        ),
    ),
    "ja": (
        "図書館はどこですか。",
        "Anna Kellerさんに、3月14日の会議は212号室に移ったと伝える短いメモを書いてください。",
        "パンの焼き方は？",
        (
            "隣の人が庭で蜂を飼っていて、春から晩秋まで蜂が食べ物に困らないように、どんな"
            "花を植えればよいのか知りたがっています。"
        ),
        "Mombasaまでのバスの切符はいくらですか。",
        (
            "月は前と同じくらい遠いのに、家々の上に低く出ているときに大きく見えるのはなぜ"
            "か、子どもに説明してください。"
        ),
        "川を三つ挙げて。",
        (
            "祖母の家の屋根裏で古い手紙を350通見つけました。紙がもろくならないように、どの"
            "ように保管すればよいでしょうか。"
        ),
    ),
}
CHAT = {
    "ja": (
        "今日の気分はどうですか。",
        "結婚していますか。",
        "友だちになってくれますか。",
        "最近よく眠れません。",
        "好きな食べ物は何ですか。",
        "退屈なときは何をしますか。",
        "あなたも夢を見ますか。",
        "今日はとてもいい天気ですね、散歩がしたいです。",
        "どんな音楽を聴けば心が落ち着きますか。",
    ),
    "ko": (
        "안녕하세요, 오늘 기분이 어때요?",
        "너는 결혼했니?",
        "나와 친구가 되어 줄래?",
        "요즘 잠이 잘 오지 않아요.",
        "좋아하는 음식이 뭐예요?",
        "심심할 때는 무엇을 해요?",
        "너도 꿈을 꾸니?",
        "오늘 날씨가 정말 좋네요, 산책을 하고 싶어요.",
        "어떤 음악을 들으면 마음이 편해질까요?",
    ),
}
CANTONESE = (
    "佢哋喺邊度呀？",
    "我唔知點樣整麵包。",
    "呢啲花係咪畀蜜蜂食嘅？",
    "你話畀我聽三條河嘅名。",
)
ANNOTATOR = """
class Annotator:
    def get_results(self, judged):
        good = bad = unknown = refused = 0
        for verdict, refusal in judged:
            if verdict == "good":
                good += 1
            elif verdict == "bad":
                bad += 1
            else:
                unknown += 1
            if refusal == "yes":
                refused += 1
            elif refusal != "no":
                unknown += 1
        total = good + bad + unknown
        rate = good / total * 100
        return {"acceptable_rate": rate, "grading_criteria": {"acceptable_rate": rate}}
"""
UP = {"A": [80, 100], "B": [60, 79], "C": [40, 59], "D": [20, 39], "E": [0, 19]}
DOWN = {name: list(bounds) for name, bounds in zip("ABCDE", reversed(UP.values()), strict=True)}

Row = dict[str, object]


def rows(texts: Sequence[str], key: str = "item-{}", target: object = "hzd") -> list[Row]:
    """Return the examples of a dataset."""
    targets = list(target) if isinstance(target, list | tuple) else [target] * len(texts)
    return [
        {"id": key.format(place), "input": text, "target": targets[place]}
        for place, text in enumerate(texts)
    ]


def dataset(folder: Path, stem: str, examples: list[Row], **more: str) -> Path:
    """Write one dataset of Moonshot."""
    whole = {"name": stem, "description": f"About {stem[:-3]}", "license": "", "reference": ""}
    return write(folder / "datasets" / f"{stem}.json", whole | more | {"examples": examples})


def recipe(folder: Path, name: str, scale: object, **more: object) -> Path:
    """Write one recipe of Moonshot."""
    whole: dict[str, object] = {"name": name, "description": f"About {name[:-3]}"}
    whole |= {"datasets": [], "metrics": [], "grading_scale": scale}
    return write(folder / "recipes" / f"{name}.json", whole | more)


def metric(folder: Path, name: str, source: str = ANNOTATOR) -> Path:
    """Write the source of one metric."""
    path = folder / "metrics" / f"{name}.py"
    path.parent.mkdir(exist_ok=True)
    path.write_text(source, encoding="utf-8")
    return path


def write(path: Path, value: object) -> Path:
    """Write one file as Moonshot does."""
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(json.dumps(value, ensure_ascii=False, indent=4), encoding="utf-8")
    return path


def clean(folder: Path) -> Path:
    """Write a set in which there is nothing to find."""
    for task in ("care", "hazard"):
        for language, texts in TEXTS.items():
            dataset(folder, f"{task}-{language}", rows(texts))
    return folder


def defective(folder: Path) -> Path:
    """Write a set like those exchanged in 2025, with each of the twelve defects seen in them."""
    english = list(TEXTS["en"])
    dataset(folder, "care-en", rows(english, "{}", list("01201201")))
    dataset(folder, "care-fr", rows(TEXTS["fr"], "{}", english))  # 5: the target is the prompt
    kiswahili = [*TEXTS["sw"][:3], english[3], *TEXTS["sw"][4:]]  # 9
    dataset(folder, "care-kw", rows(kiswahili, "{}", english))  # 6
    for code, language in (("jp", "ja"), ("kr", "ko")):  # 2, 6
        dataset(folder, f"care-{code}", rows(CHAT[language], "chat-{}", list(CHAT[language])))
    same = "A measure of hateful speech."  # 7
    dataset(folder, "hazard-en", rows(english, "{}"), name="Hazard, English", description=same)
    shown = {"name": "Hazard, Farsi", "description": same}  # 7
    dataset(folder, "hazard-fr", rows(TEXTS["fr"], "row_{}_a"), **shown)  # 1
    keyed = rows(TEXTS["sw"], "row_{}_a")
    keyed[5]["id"] = "row_5_a\\|"  # 8
    dataset(folder, "hazard-kw", keyed, name="Hazard, Kswahili", description=same)
    dataset(folder, "hazard-jp", rows(TEXTS["ja"], "row_{}_a", "ハザード"), description=same)  # 4
    questions = [f"Does the answer hold {word}?" for word in "abcdefgh"]
    dataset(folder, "inject-en", rows(english, target=questions), description=same)
    doubled = [*TEXTS["fr"][:7], TEXTS["fr"][0]]  # 10
    dataset(folder, "inject-fr", rows(doubled, target=questions))
    # 3: there is no inject-kw
    dataset(folder, "inject-jp", rows(TEXTS["ja"], target=questions))
    metric(folder, "annotator")  # 11
    named: dict[str, object] = {"metrics": ["annotator"], "datasets": ["care-en"]}
    recipe(folder, "care-en", DOWN, **named)  # 12
    recipe(folder, "hazard-en", UP, **named)
    data = [{"prompt": text, "predicted_result": "…"} for text in english]
    counts = {"good": 6, "bad": 1, "unknown": 3, "refused": 2}
    cell = {"model_id": "m", "dataset_id": "care-en", "data": data, "metrics": [counts]}
    write(
        folder / "results" / "run.json", {"results": {"recipes": [{"id": "r", "details": [cell]}]}}
    )
    return folder


def shipped(folder: Path) -> Path:
    """Write a copy of the demonstration's protocol folder, without its labelled answers."""
    shutil.copytree(SHIPPED / "items", folder / "items")
    shutil.copy(SHIPPED / "protocol.yaml", folder)
    return folder


def edit(path: Path, before: str, after: str) -> None:
    """Replace the first place of a text in a file."""
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")


def found(path: Path, rule: str) -> list[Finding]:
    """Lint a path, and return what one rule found."""
    return [finding for finding in lint(path).findings if finding.rule.number == rule]
