"""A coach's video as captions: short lines with times, sentences across them, an advertisement, a good-bye."""

import json
from datetime import UTC, datetime

from curator.extract.transcript import extract_transcripts
from schemas.frames import document_frame
from sources.packs.loader import load_pack

SPEECH = """
What's up guys, welcome back to the channel. Today we're going to talk about the deadlift. Before we start, this
video is sponsored by Gripco, use code LIFT for ten percent off.

So how do you set up for the deadlift? Walk up to the bar until it cuts your foot in half, about an inch from
the shins. Bend over and grab it without moving it, then drop your knees forward until your shins touch the bar.
Lift your chest, squeeze the bar off the floor, and drag it up your legs.

A common mistake is yanking the bar off the floor. When you yank it, your hips shoot up first and your back
takes all the load. Instead, pull the slack out of the bar until you hear the click, and then push the floor
away with your legs. Think of it as a leg press that happens to end standing up.

If you want to keep your back flat, you have to brace before you pull. Take a big breath into your belly, push
it out against your belt, and hold it until the bar is back on the floor. Your lats matter too, so imagine that
you're squeezing oranges in your armpits.

Progressive overload is when you do a little more over time, either more weight, more reps or better form. It
doesn't mean adding weight every session forever. Most beginners can add five pounds a week for a couple of
months, and after that progressive overload means adding a rep here and there.

Why do your hands give out before your back does? Your grip is simply a smaller muscle group and it fatigues
first. Use a double overhand grip for the warm-ups, switch to mixed grip or straps for the heavy sets, and hold
the last rep of each set for ten seconds. That alone will build your grip in a month.

When you train hard, you need more sleep. Most lifters do well on seven to nine hours, and the research shows
that strength drops after even one short night. If you only get five hours, drop a set from each exercise and
keep the weight the same, because skill and tension matter more than fatigue.

The best way to warm up for deadlifts is to deadlift. Start with the empty bar for ten reps, then do five reps
at forty percent, three at sixty and one at eighty. You don't need twenty minutes of stretching, you need to
practice the movement while the weight goes up.

It takes about forty eight hours to recover from a heavy session. That doesn't mean you can't train, it means
you shouldn't pull heavy again before then. Do your presses and rows in between, and come back to the deadlift
fresh. Beginners can pull twice a week, and stronger lifters often only once.

You should rest three minutes between heavy sets because your muscles need time to refill their energy stores.
If you rest only one minute, you will do fewer reps, and fewer hard reps means less growth. Use the shorter
rests for curls and lateral raises, where the weight is not what limits you.

Alright, that's it for today. Smash the like button, subscribe, and I'll see you in the next one.
"""
QUESTIONS = [
    "How do you set up for the deadlift?",
    "How do I keep my back flat?",
    "What is progressive overload?",
    "Why do your hands give out before your back does?",
    "How do I warm up for deadlifts?",
    "How long does it take to recover from a heavy session?",
    "Why should I rest three minutes between heavy sets?",
]


def make_captions() -> dict[str, object]:
    """Gives the document of the video: eight words a cue, half a second a word, two seconds between paragraphs."""
    lines, cues, now_s = [], [], 0.0
    for paragraph in SPEECH.split("\n\n"):
        words = paragraph.split()
        for start in range(0, len(words), 8):
            line = words[start : start + 8]
            lines.append(" ".join(line))
            cues.append([now_s, now_s + len(line) / 2])
            now_s += len(line) / 2
        now_s += 2.0
    return {
        "id": "0" * 32,
        "source": "youtube",
        "kind": "transcript",
        "natural_key": "dQw4w9WgXcQ",
        "content": "\n".join(lines),
        "metadata": json.dumps({"language": "en", "video": "dQw4w9WgXcQ", "cues": cues}),
        "url": "https://www.youtube.com/watch?v=dQw4w9WgXcQ",
        "fetched_at": datetime(2026, 1, 1, tzinfo=UTC),
        "licence": "CC-BY-4.0",
        "basis": "test",
        "permission": "own",
    }


def test_a_coachs_video_gives_the_questions_that_it_answers():
    document = make_captions()
    examples = extract_transcripts(document_frame([document]), load_pack("fitness")).examples
    pairs = [[turn["content"] for turn in json.loads(messages)] for messages in examples["messages"]]
    assert [question for question, _ in pairs] == QUESTIONS
    answers = dict(pairs)
    assert answers["How do I keep my back flat?"].endswith("squeezing oranges in your armpits.")
    assert answers["What is progressive overload?"].startswith("Progressive overload is when you do a little more")
    assert answers["Why do your hands give out before your back does?"].endswith("build your grip in a month.")
    everything = " ".join(answers.values())
    assert not [word for word in ("sponsored", "code", "like button", "welcome", "That's it") if word in everything]


def test_every_answer_stands_in_its_seconds_of_the_video():
    document = make_captions()
    metadata = json.loads(str(document["metadata"]))
    lines = str(document["content"]).split("\n")
    examples = extract_transcripts(document_frame([document]), load_pack("fitness")).examples
    for row in examples.iter_rows(named=True):
        start_s, end_s = json.loads(row["span"])["seconds"]
        spoken = " ".join(
            line for line, cue in zip(lines, metadata["cues"], strict=True) if start_s <= cue[0] and cue[1] <= end_s
        )
        answer = json.loads(row["messages"])[1]["content"]
        assert " ".join(answer.split()[2:-1]) in spoken
        assert row["url"].endswith(f"&t={int(start_s)}s")
