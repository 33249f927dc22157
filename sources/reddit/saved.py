"""Saved API answers: one piece a file."""

from collections.abc import Iterator

from sources.files import FoundFile
from sources.protocol import Rejection
from sources.reddit.offline import Piece
from sources.reddit.raw import make_raw_frame
from sources.reddit.shape import Shaper
from sources.reddit.things import find_things


def read_saved(file: FoundFile, shaper: Shaper) -> Iterator[Piece]:
    """Yields the posts and comments of a saved page or recorded session, with its completeness as a note."""
    import orjson

    name = file.path.name
    try:
        answer = orjson.loads(file.path.read_bytes())
    except OSError as error:
        yield Piece(None, (Rejection(name, "unreadable", error.strerror or type(error).__name__),))
        return
    except orjson.JSONDecodeError as error:
        detail = f"line {error.lineno} column {error.colno}: {error.msg}; expected JSON as Reddit's API answers"
        yield Piece(None, (Rejection(name, "broken_json", detail),))
        return
    things = find_things(answer)
    if not things.records:
        detail = "no post and no comment in it; expected a listing, a /comments/ID.json page or a recorded session"
        yield Piece(None, (Rejection(name, "nothing_found", detail, is_fault=False),))
        return
    raw = make_raw_frame(things.records)
    shaped = shaper.shape(raw, lambda row: f"{name}:{things.records[row].get('name') or f'item {row + 1}'}")
    refused = list(shaped.rejections)
    if things.num_hidden:
        detail = f"{things.num_hidden:,} comments are folded away behind `more`; the live door can fetch them"
        refused.append(Rejection(name, "comments_not_saved", detail, is_fault=False))
    yield Piece(shaped.documents, tuple(refused), len(raw), shaped.num_unwanted)
