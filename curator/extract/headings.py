"""Headings that say nothing by themselves, in the languages of the bundled packs; all in lower case."""

import re


def _lines(text: str) -> frozenset[str]:
    return frozenset(phrase.strip() for line in text.splitlines() for phrase in line.split(",") if phrase.strip())


# What these head is about the heading above, or about the page.
SUBJECTLESS = _lines("""
    about, background, basics, conclusion, core principle, core principles, definition, description, details, faq, faqs,
    frequently asked questions, general, general guidelines, general principles, general recommendations, intro,
    introduction, key insight, key insights, key points, key takeaways, more, note, notes, other, overview, questions,
    questions and answers, q&a, recommendations, summary, takeaways, the basics, tl;dr,
    أسئلة شائعة, الأسئلة الشائعة, الخلاصة, خلاصة, مقدمة, ملاحظات, نظرة عامة
""")

# These need the heading above to say of what: `Targets` below `Sleep` are sleep targets.
DEPENDENT = _lines("""
    benefits, definitions, examples, guidelines, mistakes, practice, principles, protocol, protocols, requirements,
    risks, symptoms, targets, tips, types
""")

# These lead to other pages or speak of the page itself.
NAVIGATION = _lines("""
    acknowledgements, acknowledgments, bibliography, books, changelog, contact, contents, contributing, credits,
    external links, format, further reading, how to use this guide, how to use this page, installation, licence,
    license, links, literature, navigation, read more, references, related, related pages, resources, see also,
    sources, table of contents, tools, videos,
    المراجع, المصادر, روابط
""")

# Words that carry no subject; two phrases that share only these have none in common.
EMPTY_WORDS = _lines("""
    a, an, and, as, at, by, do, does, for, from, how, i, in, is, it, my, of, on, or, should, the, to, what, when, why,
    with, without, you, your, في, من, على, إلى, عن, ما, هل, كيف, متى, لماذا, أو, و
""")

_BARE_NUMBER = re.compile(r"(?:(?:chapter|part|section|appendix)\s+)?[\divxlc.]*$", re.IGNORECASE)


def is_subjectless(heading: str) -> bool:
    """Tells whether a heading says nothing of its own: `Overview`, `Chapter IV`, or no heading at all."""
    return heading.casefold() in SUBJECTLESS or bool(_BARE_NUMBER.match(heading))
