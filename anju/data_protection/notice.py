"""Writes the public processing notice and the record of processing from the tags (docs/processing-notice.md)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from contracts.fields import BASES, CLASSES, PURPOSES, RETENTIONS
from contracts.lint import Field

_KINDS: Final[Mapping[str, tuple[str, str]]] = {
    "event": ("事件", "event"),
    "table": ("数据表", "table"),
    "form": ("表单", "form"),
}
_HEAD: Final = """\
# 个人信息处理公示 · Notice of processing

由字段标签自动生成(`anju docs`),不得手工修改。标签改变而本页未更新时,检查不通过。
Generated from the tags of fields by `anju docs`; do not edit. The check fails while tags and page differ.

安居不做的事:不对人评分、分级或预测;不建立个人档案;不按民族、宗教、籍贯、职业等特征列名单;不采集生物特征;除本人外,谁也不能查询一个人曾在何处。
What Anju does not do: it scores, grades or predicts nobody; keeps no dossiers; lists nobody by ethnicity, religion,
origin or occupation; takes no biometrics; and tells nobody but a person where that person has been.

您可以查阅、更正、复制本人信息,查看谁为何查阅过,对预警提出异议(《个人信息保护法》第四十四条至第四十七条)。
You may see, correct and copy your record, see who read it and why, and contest an alert (PIPL arts. 44 to 47).
"""


def page(fields: Iterable[Field]) -> str:
    """The page's text: first by purpose for the public, then field by field as the record of processing."""
    personal = [field for field in fields if field.tags is not None and field.tags.class_ != "none"]
    return "\n".join([_HEAD, *_by_purpose(personal), *_record(personal)])


def _by_purpose(fields: list[Field]) -> list[str]:
    lines = ["## 为何处理、处理什么 · Why, and what", ""]
    for purpose, (chinese, english) in PURPOSES.items():
        groups: dict[tuple[str, str, str], set[str]] = defaultdict(set)
        for field in fields:
            if field.tags is not None and purpose in field.tags.purpose:
                groups[field.tags.class_, field.tags.basis, field.tags.retention].add(field.name)
        if not groups:
            continue
        lines += [f"### {chinese} · {english}", ""]
        lines += ["| 类别 Class | 法律依据 Basis | 保存 Kept | 字段 Fields |", "|---|---|---|---|"]
        for (class_, basis, retention), names in sorted(groups.items()):
            texts = (_both(CLASSES[class_]), _both(BASES[basis]), _both(RETENTIONS[retention]))
            lines.append(f"| {' | '.join(texts)} | {', '.join(f'`{name}`' for name in sorted(names))} |")
        lines.append("")
    return lines


def _record(fields: list[Field]) -> list[str]:
    lines = [
        "## 处理活动记录 · Record of processing",
        "",
        "不含个人信息的字段(类别 `none`)不列出。Fields of class `none` are left out.",
        "",
    ]
    owners: dict[tuple[str, str], list[Field]] = defaultdict(list)
    for field in fields:
        owners[field.kind, field.owner].append(field)
    for (kind, owner), owned in sorted(owners.items()):
        lines += [f"### {' '.join(_KINDS[kind])} `{owner}`", ""]
        lines += ["| 字段 Field | 目的 Purpose | 依据 Basis | 类别 Class | 保存 Kept |", "|---|---|---|---|---|"]
        for field in owned:
            if field.tags is not None:
                tagged = field.tags
                words = (", ".join(tagged.purpose), tagged.basis, tagged.class_, tagged.retention)
                lines.append(f"| `{field.name}` | {' | '.join(words)} |")
        lines.append("")
    return lines


def _both(text: tuple[str, str]) -> str:
    return f"{text[0]}<br>{text[1]}"
