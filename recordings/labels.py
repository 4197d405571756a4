"""Class names, the codes that stand for them in the data's own files, and the real clip counts.

Source: iMiGUE paper (CVPR 2021) figure 2 and the organisers' viewer for the short names; the counts are those of the
organisers' train_label.pkl (251 videos, 13,670 clips). SMG names from a public label file; codes from the
organisers' readers.
"""

from miga.frame_base import FrameBase

# Short name and number of training clips, in the order of the zero-based class id.
_IMIGUE = (
    ("turtle neck", 10),
    ("deep breath", 418),
    ("touch hat", 39),
    ("touch face", 207),
    ("touch forehead", 80),
    ("cover face", 23),
    ("rub eyes", 64),
    ("touch other face part", 858),
    ("touch ears", 87),
    ("bite nails", 3),
    ("touch chin", 302),
    ("touch neck", 154),
    ("play hair", 97),
    ("adjust tie", 41),
    ("touch chest", 28),
    ("scratch back", 27),
    ("fold arm", 322),
    ("tidy sleeve", 83),
    ("put arm back", 2),
    ("move torso", 942),
    ("sit straight", 170),
    ("scratch arm", 373),
    ("rub hand", 657),
    ("cross finger", 700),
    ("minaret hand", 11),
    ("play things", 287),
    ("withdraw arms", 87),
    ("head up", 60),
    ("bit lip", 1237),
    ("arm akimbo", 6),
    ("shake shoulder", 2272),
    ("illustrative", 4023),
)

IMIGUE_CLASSES = tuple(name for name, _ in _IMIGUE)
IMIGUE_TRAIN_COUNTS = tuple(count for _, count in _IMIGUE)

# In label files the 31 gestures are 1..31 and illustrative body language is 99, not 32.
IMIGUE_CODES = (*range(1, 32), 99)
IMIGUE_FRAME_BASE = FrameBase(0)

SMG_CLASSES = (
    "turtling neck and shoulder",
    "rubbing eyes and forehead",
    "folding arms",
    "touching or covering suprasternal notch",
    "moving legs",
    "touching or scratching neck",
    "folding arms behind body",
    "rubbing hands and crossing fingers",
    "arms akimbo",
    "crossing legs",
    "scratching some part of body",
    "scratching or touching facial parts",
    "playing or adjusting hair",
    "holding arms",
    "pulling shirt collar",
    "playing with jewelry or objects",
    "illustrative hand gestures",
)

SMG_CODES = tuple(range(1, 18))
SMG_FRAME_BASE = FrameBase(1)  # as the organisers' online reader; that of their classification kit counts from 0
