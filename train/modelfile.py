"""The Modelfile: template, system prompt, parameters and stop tokens in Ollama's language.

A Modelfile has no escapes: a value in triple quotes ends at the next triple quote, and whatever follows is a command
(`FROM`, `ADAPTER`). Characters that Go does not call printable are dropped without a word. So both are refused.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from schemas.deployment import ServingParameters
from schemas.errors import DeployError
from train.turns import END, START, TurnFormat

QUOTES = '"""'
MODEL_NAME = re.compile(r"[a-zA-Z0-9][\w.-]*(?:/[a-zA-Z0-9][\w.-]*)*(?::[\w][\w.-]*)?", re.ASCII)


@dataclass(frozen=True)
class Modelfile:
    """What Ollama is told of a model.

    Attributes:
        source: The GGUF file, beside the Modelfile.
        template: Go template.
        system: System prompt.
        parameters: How it samples and where it stops.
    """

    source: str
    template: str
    system: str
    parameters: ServingParameters

    def render(self) -> str:
        """Gives the text of the file.

        Raises:
            DeployError: A value cannot be written without changing its meaning.
        """
        require_file_name(self.source)
        lines = [f"FROM ./{self.source}", f"TEMPLATE {quote(self.template, 'template')}"]
        if self.system:
            lines.append(f"SYSTEM {quote(self.system, 'system prompt')}")
        lines += [f"PARAMETER temperature {self.parameters.temperature:g}",
                  f"PARAMETER top_p {self.parameters.top_p:g}"]  # fmt: skip
        lines += [f"PARAMETER stop {quote(stop, 'stop token')}" for stop in self.parameters.stop]
        return "\n".join(lines) + "\n"

    def as_request(self, name: str, digest: str) -> dict[str, Any]:
        """Gives the body of Ollama's create request for a model file that was uploaded under its sha256.

        Raises:
            DeployError: The name is none, or a value could not stand in a Modelfile either.
        """
        require_model_name(name)
        self.render()
        return {
            "model": name,
            "files": {self.source: f"sha256:{digest}"},
            "template": self.template,
            "system": self.system,
            "parameters": self.parameters.model_dump(),
        }


def quote(text: str, what: str) -> str:
    """Gives a value in triple quotes.

    Raises:
        DeployError: It holds triple quotes, a control character or one that Ollama would drop.
    """
    if QUOTES in text:
        raise DeployError(f'{what}: """ cannot stand in a Modelfile', "write it with other quotation marks")
    dropped = sorted({sign for sign in text if not sign.isprintable() and sign != "\n"})
    if dropped:
        sign = dropped[0]
        name = unicodedata.name(sign, "control character")
        raise DeployError(f"{what}: U+{ord(sign):04X} ({name}) cannot stand in a Modelfile", "leave it out")
    return f"{QUOTES}{text}{QUOTES}"


def write_template(turns: TurnFormat) -> str:
    """Gives the Go template that renders as the turns do.

    Raises:
        DeployError: The chat template's own text holds Go's braces.
    """
    for gap in turns.gaps.values():
        if "{{" in gap or "}}" in gap:
            raise DeployError(f"chat template: {gap[:40]!r} holds Go's braces",
                              "give a template of your own: --template FILE")  # fmt: skip
    branches = []
    if not turns.is_system_late:
        branches.append(("system", _write_gaps(turns, "system") + "{{ .Content }}"))
    branches += [("user", _write_user(turns)), ("assistant", _write_gaps(turns, "assistant") + "{{ .Content }}")]
    body = "".join(
        f'{{{{ {"else " if place else ""}if eq .Role "{role}" }}}}{text}' for place, (role, text) in enumerate(branches)
    )
    remember = "{{ $before = .Role }}"
    if turns.is_system_late:
        remember = '{{ if ne .Role "system" }}{{ $before = .Role }}{{ end }}'
    head = '{{ $before := "" }}{{ range $place, $_ := .Messages }}'
    return f"{head}{body}{{{{ end }}}}{remember}{{{{ end }}}}{turns.gaps['user', END]}"


def require_model_name(name: str) -> str:
    """Gives the name back.

    Raises:
        DeployError: Ollama would not take it, or take it for something else.
    """
    if not MODEL_NAME.fullmatch(name) or ".." in name or len(name) > 128:
        raise DeployError(f"model name {name[:60]!r}: expected letters, digits, . _ - and one :tag", "try coach:latest")
    return name


def require_file_name(name: str) -> str:
    """Gives the name back.

    Raises:
        DeployError: It leads elsewhere or could end the line.
    """
    if not re.fullmatch(r"\w[\w.-]*", name, re.ASCII):
        raise DeployError(f"file name {name[:60]!r}: expected letters, digits, . _ and -", "try model.gguf")
    return name


def _write_user(turns: TurnFormat) -> str:
    plain = _write_gaps(turns, "user") + "{{ .Content }}"
    if not turns.is_system_late:
        return plain
    with_system = _write_gaps(turns, "system") + "{{ $.System }}" + turns.gaps["system", "user"] + "{{ .Content }}"
    is_last = "and $.System (eq (len (slice $.Messages $place)) 1)"
    return f"{{{{ if {is_last} }}}}{with_system}{{{{ else }}}}{plain}{{{{ end }}}}"


def _write_gaps(turns: TurnFormat, role: str) -> str:
    """Gives the text before a role, depending on the role before it where that matters."""
    gaps = {before: gap for (before, after), gap in turns.gaps.items() if after == role}
    if turns.is_system_late:
        gaps.pop("system", None)
    if len(set(gaps.values())) == 1:
        return next(iter(gaps.values()))
    order = [before for before in (START, "system", "user", "assistant") if before in gaps]
    tests = [f'{{{{ {"else " if place else ""}if eq $before "{before}" }}}}{gaps[before]}'
             for place, before in enumerate(order)]  # fmt: skip
    return "".join(tests) + "{{ end }}"
