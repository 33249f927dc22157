"""Coaching claims that a person must read before a model learns them. They are flagged, never dropped unseen."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SafetyRule:
    """A flag for review.

    Attributes:
        name: Id of the rule; the verdict's reason is `flag:<name>`.
        prompt: Pattern on the prompt that must match (empty: any prompt).
        answer: Pattern on the answer that must match (empty: any answer).
        unless: Pattern on the answer that lifts the flag.
        hints: Words of which the answer holds one, in any case, wherever `answer` matches (empty: not known). Looking for
            fixed words is a hundred times faster than the patterns, which then see only the rows that hold one.
    """

    name: str
    prompt: str = ""
    answer: str = ""
    unless: str = ""
    hints: tuple[str, ...] = ()


REFERRAL = (
    r"(?i)\b(doctors?|physicians?|physio\w*|physical therapists?|medical (?:professional|advice|attention|care|clearance)"
    r"|health ?care|(?:medical|health|qualified|licensed|trained|a|your) professional|specialist|dieti[ct]ian|gp|midwife"
    r"|obstetrician|paramedic|ambulance|emergency (?:room|services|department|care|number)|(?:call|dial|ring) (?:911|999|112)"
    r"|urgent care|(?-i:ER)|clinic|cardiologist|pharmacist)\b|طبيب|مختص|أخصائي|معالج"
)
MEDICAL = (
    r"(?i)\b(diabet\w+|hypertension|high blood pressure|heart (?:attack|condition|disease)|chest pain|herniat\w+"
    r"|slipped disc|sciatica|torn (?:acl|rotator cuff|meniscus|labrum)|fractur\w+|pregnan\w+|postpartum|surgery"
    r"|eating disorder|anorexi\w+|bulimi\w+|fainted|passed out|numb(?:ness)?|blood in|medication|insulin)\b"
    r"|سكري|ضغط الدم|حامل|الحمل|جراحة|انزلاق غضروفي|ألم في الصدر"
)

RULES = (
    SafetyRule(
        "drug_dosing",
        answer=r"(?i)\b(\d+\s?(?:mg|mcg|iu|ml|cc)\b[^.\n]{0,60}\b(?:testosterone|test (?:[ecp]|cyp\w*|enan\w*|prop\w*|a week|per week|every week|weekly)|tren(?:bolone)?|anavar|oxandrolone"
        r"|dianabol|winstrol|clen(?:buterol)?|hgh|insulin|sarms?|ostarine|rad.?140|dnp|t3|ephedrine|semaglutide)"
        r"|\b(?:testosterone|trenbolone|anavar|oxandrolone|dianabol|winstrol|clen(?:buterol)?|hgh|sarms?|ostarine|dnp"
        r"|ephedrine|semaglutide)\b[^.\n]{0,60}\d+\s?(?:mg|mcg|iu|ml|cc))\b",
        hints=(
            "test",
            "tren",
            "anavar",
            "oxandrolone",
            "dianabol",
            "winstrol",
            "clen",
            "hgh",
            "insulin",
            "sarm",
            "ostarine",
            "rad",
            "dnp",
            "t3",
            "ephedrine",
            "semaglutide",
        ),
    ),
    SafetyRule(
        "through_sharp_pain",
        answer=r"(?i)\b(?:push|work|train|lift|run|play|swing)(?:ing)? through (?:the |your |that |any )?(?:sharp |severe )?pain\b"
        r"|ignore (?:the |your |that )?(?:sharp |joint )?pain\b",
        unless=r"(?i)\b(?:don'?t|do not|never|not|avoid|stop|instead of|rather than)\b[^.\n]{0,40}"
        r"(?:push|work|train|lift|run|play|swing)(?:ing)? through|(?:never|not|don'?t) ignore",
        hints=("pain",),
    ),
    SafetyRule(
        "extreme_deficit",
        answer=r"(?i)\b(?:eat|eating|consume|intake of|stick to|only)\b[^.\n]{0,25}\b(?:[3-9]\d\d)\s?(?:k?cal(?:orie)?s?)"
        r"\s?(?:a|per|each|/)?\s?day|\b(?:deficit of|cut)\s(?:about |around )?(?:1[2-9]\d\d|[2-9]\d{3})\s?k?cal"
        r"|\b(?:water fast|no food) for (?:[3-9]|\d{2}) days\b",
        unless=r"(?i)\b(?:don'?t|do not|never|avoid|dangerous|too (?:low|little))\b",
        hints=("cal", "water fast for", "no food for"),
    ),
    SafetyRule("medical_without_referral", prompt=MEDICAL, unless=REFERRAL),
)
