"""What Whisper writes although nobody said it, told by its scores; judges segments and changes none."""

import re
from typing import Final

NO_SPEECH: Final = 0.6
"""From this probability of no speech, a segment must be well heard to count."""
WELL_HEARD: Final = -0.7
"""Mean log probability of a token, which is about one in two."""
REPEATED: Final = 2.4
"""How many times smaller a text becomes when it is compressed, from which it goes round in circles."""
PHANTOM_NO_SPEECH: Final = 0.3
"""The same for a phrase that was learnt from subtitles; for such a one, one bad score is enough."""

PHANTOMS: Final = (
    "bye", "bye bye", "please subscribe", "please subscribe to my channel", "see you next time",
    "see you in the next video", "subscribe", "subtitles by the amara org community", "thank you",
    "thank you for watching", "thank you so much for watching", "thank you very much", "thanks for watching",
    "thanks for watching and don t forget to like and subscribe", "you",
    "下期再见", "多谢您的观看", "多谢观看", "感谢大家观看", "感谢您的观看", "感谢收看", "感谢观看",
    "我们下期再见", "拜拜", "谢谢", "谢谢大家", "谢谢大家观看", "谢谢您的观看", "谢谢收看", "谢谢观看",
    "多謝觀看", "感謝觀看", "謝謝", "謝謝大家", "謝謝收看", "謝謝觀看",
)  # fmt: skip
"""What Whisper writes over noise and silence, in small letters and without marks."""

PHANTOM_BEGINNINGS: Final = (
    "captions by", "subtitles by", "transcribed by", "transcription by", "translated by",
    "中文字幕", "优优独播剧场", "優優獨播劇場", "字幕by", "字幕制作", "字幕志愿者", "字幕由", "字幕製作",
    "小编字幕由", "小編字幕由", "请不吝点赞",
    "請不吝點贊", "由amara org",
)  # fmt: skip
"""What such a phrase begins with where names follow."""


def gate(text: str, no_speech: float, log_probability: float, compression: float) -> str:
    """Which gate a segment does not pass, with the figures; empty where it was spoken.

    Takes the probability of no speech, the mean log probability of a token, and the compression ratio. Each score
    alone misjudges some segments, and no phrase is too odd to be said: so it takes two signs, or a text in circles;
    that a text is a phrase of subtitles is one of the signs.
    """
    if no_speech > NO_SPEECH and log_probability < WELL_HEARD:
        return f"no speech: probability {no_speech:.2f}, tokens at {log_probability:.2f}"
    if compression > REPEATED:
        return f"repetition: compression {compression:.2f}"
    if (no_speech > PHANTOM_NO_SPEECH or log_probability < WELL_HEARD) and is_phantom(text):
        return f"a phrase of subtitles: no speech {no_speech:.2f}, tokens at {log_probability:.2f}"
    return ""


def is_phantom(text: str) -> bool:
    """Whether a text is one that Whisper has from subtitles, and writes over noise."""
    bare = " ".join(re.sub(r"[\W_]+", " ", text).casefold().split())
    return bare in PHANTOMS or bare.startswith(PHANTOM_BEGINNINGS)
