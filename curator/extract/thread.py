"""Turns threads of posts and comments into conversations, each comment used at most once.

A question gives one conversation an answer: question, answer, and as long as the asker asks on and the same person
replies, those turns too. The best answer comes first; of the others, two with a clear gap in score become a
preference pair, and the good rest conversations of their own. Then the questions among the comments get the same.
"""

from typing import TYPE_CHECKING, Any

from curator.extract.build import Extraction
from curator.extract.thread_compile import ThreadCompiler, thread_input_id
from curator.extract.thread_tree import build_threads
from schemas.frames import example_frame, verdict_frame
from schemas.pack import Pack

if TYPE_CHECKING:
    import polars as pl

__all__ = ["extract_threads", "thread_input_id"]


def extract_threads(documents: "pl.DataFrame", pack: Pack) -> Extraction:
    """Gives the conversations and preferences of whole threads, and a verdict on every document that gave nothing.

    Pure and independent of the order of rows. A thread without its post still gives conversations of a
    question among its comments that can stand alone and the answers to it; its other comments get `no_post`.

    Args:
        documents: All current documents of kind post and comment of the threads.
        pack: Says which category a flair or subreddit means.
    """
    examples: list[dict[str, Any]] = []
    verdicts: list[dict[str, Any]] = []
    for thread in build_threads(documents.iter_rows(named=True)):
        compiler = ThreadCompiler(thread, pack)
        examples += compiler.compile()
        verdicts += compiler.verdicts()
    return Extraction(example_frame(examples), verdict_frame(verdicts))
