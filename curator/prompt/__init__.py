"""The prompt kit: roles, profile, working rules, citations and examples around a question, within a token budget.

`PromptKit.build` is the only place where a prompt is put together; `prompt show` prints what it gives, `chat` and the
service send it.
"""

from curator.prompt.assemble import Material, Part, Prompt, assemble_prompt
from curator.prompt.capacity import Capacity, fit_prompt
from curator.prompt.kit import PromptKit, open_kit
from curator.prompt.passages import Passage, load_passages
from curator.prompt.retrieval import Hit, Retriever

__all__ = [
    "Capacity",
    "Hit",
    "Material",
    "Part",
    "Passage",
    "Prompt",
    "PromptKit",
    "Retriever",
    "assemble_prompt",
    "fit_prompt",
    "load_passages",
    "open_kit",
]
