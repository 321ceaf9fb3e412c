"""Words that no field may be named after: the dossiers, gradings and traces of people that Anju does not keep."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

# Each phrase is matched as whole words, singular or plural, in snake_case, kebab-case or camelCase. Groups follow
# product.md section 1, so that a refusal can say which line was crossed.
EVERYWHERE: Final[Mapping[str, tuple[str, ...]]] = {
    "people are never scored, graded or predicted": (
        "score", "scoring", "grade", "grading", "tier", "rating", "ranking", "risk", "threat_level", "danger_level",
        "credit", "reputation", "trust_level", "suspicion", "suspicious", "suspect", "likelihood", "propensity",
        "prediction", "predicted", "offender", "blacklist", "black_list", "key_person", "focus_person",
        "评分", "积分", "打分", "风险", "信用", "可疑", "嫌疑", "高危", "黑名单",
        "重点人员", "重点人口", "分级管控", "预测",
    ),
    "no dossiers": (
        "hobby", "hobbies", "interests", "looks", "appearance", "associate", "associates", "acquaintance", "friends",
        "contacts", "income", "salary", "wage", "assets", "debt", "politics", "political", "party_member", "religion",
        "religious", "faith", "belief", "ethnicity", "ethnic", "ethnic_group", "nationality_group", "race", "caste",
        "family_tree", "family_member", "kinship", "criminal", "crime", "conviction", "convicted", "police_record",
        "sexual_orientation", "union_membership", "health_status", "psychology", "personality", "profile",
        "爱好", "兴趣", "外貌", "体貌", "相貌", "关系人", "社会关系", "交往", "密切接触", "收入", "工资", "资产",
        "负债", "政治面貌", "党派", "政见", "宗教", "信仰", "民族", "族别", "族裔", "家谱", "家庭成员", "前科",
        "犯罪", "违法记录", "性取向", "性格", "画像",
    ),
    "no watchlist by attribute": (
        "origin", "native_place", "birthplace", "place_of_birth", "ancestral", "occupation", "job", "profession",
        "age_group", "dialect", "accent",
        "籍贯", "原籍", "祖籍", "出生地", "职业", "年龄段", "口音",
    ),
    "no informants, no biometrics": (
        "informant", "tip_off", "biometric", "biometrics", "fingerprint", "face", "facial", "iris", "retina", "dna",
        "voiceprint", "gait", "palm_print", "blood_type",
        "线人", "举报人", "生物识别", "生物特征", "指纹", "人脸", "虹膜", "声纹", "步态", "掌纹", "血型", "基因",
    ),
    "no movement history": (
        "movement", "movements", "trajectory", "track", "tracking", "whereabouts", "itinerary", "route_history",
        "last_seen", "previous_address", "former_address", "address_history", "travel_history", "visited",
        "轨迹", "行踪", "行程", "去向", "曾住", "历史住址", "曾用住址",
    ),
}  # fmt: skip

# Events name nobody: what registration knows of a person is asked of registration, with purpose and case.
IN_EVENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "events carry no person's data": (
        "name", "phone", "mobile", "telephone", "number", "document", "birth_date", "birthday", "sex", "gender", "age",
        "guardian", "relation", "email", "photo", "person_id", "nationality", "issuing_country", "valid_until",
        "姓名", "电话", "手机", "证件号", "身份证", "出生日期", "性别", "监护人",
    ),
}  # fmt: skip

# Fields that a word above names, and that are not about a person. Each with its reason.
ALLOWED: Final[Mapping[str, str]] = {
    "event PremisesV1.grade": "premises are graded, by inspection facts alone",
    "event RoomV1.number": "the number on a room's door",
    "event UnitV1.name": "a unit of the administration",
}

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_WORD = re.compile(r"[a-z0-9]+|[\u3400-\u9fff]+")


def _words(text: str) -> list[str]:
    return _WORD.findall(_CAMEL.sub("_", text).lower())


def _same(word: str, denied: str) -> bool:
    return word in (denied, f"{denied}s", f"{denied}es")


def _is_chinese(phrase: str) -> bool:
    return not phrase.isascii()


def names(identifier: str, phrase: str) -> bool:
    """Whether an identifier contains the words of a phrase side by side, or a Chinese text contains the phrase."""
    if _is_chinese(phrase):
        return phrase in identifier
    words, wanted = _words(identifier), _words(phrase)
    return any(
        all(_same(word, denied) for word, denied in zip(words[start:], wanted, strict=False))
        for start in range(len(words) - len(wanted) + 1)
    )


def refusal(identifier: str, texts: Iterable[str] = (), *, event: bool = False) -> str | None:
    """Which line a field crosses and by which word, or None.

    `identifier` is the field's name or one of its codes; `texts` are titles and labels, searched for Chinese words only
    (an English sentence may say "no score").
    """
    groups = [*EVERYWHERE.items(), *(IN_EVENTS.items() if event else ())]
    for line, phrases in groups:
        for phrase in phrases:
            if names(identifier, phrase) or (_is_chinese(phrase) and any(phrase in text for text in texts)):
                return f"{phrase!r}: {line}"
    return None
