"""The responsibility letter (治安消防责任书): its text in force, and what signing it means."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

# Duties of who lets or runs premises: 消防法 arts. 16 and 28, 商品房屋租赁管理办法 arts. 6 and 8,
# 旅馆业治安管理办法 art. 6. Another text is another version, and every letter is then signed anew.
VERSION = "1"
TEXT = (
    "一、出租、经营的房屋符合建筑、消防安全规定，厨房、卫生间、阳台和地下储藏室不供人员居住。",
    "二、疏散通道、安全出口保持畅通，灭火器、火灾报警器按规定配置并保持完好。",
    "三、不在室内、楼道停放电动自行车或者为其充电，用电、用气线路和设备定期检查。",
    "四、居住人员入住、离开按规定期限登记，不留住未登记的人员。",
    "五、发现隐患及时整改，接受并配合检查。",
)
TEXT_SHA256 = sha256("\n".join(TEXT).encode()).hexdigest()


class LetterChanged(Exception):
    """Another version of the letter is in force than the one that was read."""


class AlreadySigned(Exception):
    """The letter in force was signed for these premises before."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter as it was signed: which text, when."""

    version: str
    text_sha256: str
    signed_at: datetime

    @property
    def in_force(self) -> bool:
        """Tell whether it is the text of today; an older one has to be signed anew."""
        return self.text_sha256 == TEXT_SHA256


def sign(version: str | None, before: Letter | None, now: datetime) -> Letter:
    """Return the letter signed now. `version` is the one that was read, None where only one can be meant.

    Raises LetterChanged and AlreadySigned.
    """
    if version not in (None, VERSION):
        raise LetterChanged
    if before is not None and before.in_force:
        raise AlreadySigned
    return Letter(VERSION, TEXT_SHA256, now)
