"""Loss masks from stock templates: the answers are found, the text stays the stock text, letter by letter."""

import importlib.util
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from train.export_folder import Row
from train.load import Base, find_base_stops, load_tokenizer
from train.template import CLOSE, OPEN, TemplateError, render_conversation, render_prompt
from train.tokenize import IGNORED, tokenize_row

# Templates as trl ships them for its own tests; they are the hub's, unchanged.
STOCK = Path(importlib.util.find_spec("trl").origin).with_name("chat_templates")
PLAIN = (
    "qwen2_5",
    "qwen3",
    "qwen3_instruct_2507",
    "llama3_1",
    "llama3_2",
    "phi3",
    "phi3_5",
    "gemma",
    "gemma3",
    "cohere",
)
# Phi-4-mini and Mistral, written from their public model cards.
PHI4 = (
    "{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% else %}{{ eos_token }}{% endif %}"
)
MISTRAL = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + '[/INST]' }}"
    "{% elif message['role'] == 'assistant' %}{{ ' ' + message['content'] + eos_token }}"
    "{% else %}{{ raise_exception('Only user and assistant roles are supported!') }}{% endif %}{% endfor %}"
)
TURNS = [
    {"role": "user", "content": "How deep should I squat?"},
    {"role": "assistant", "content": "Squat as deep as you can."},
    {"role": "user", "content": "And with bad knees?"},
    {"role": "assistant", "content": "Then see a professional first."},
]


def load(folder, template=None):
    tokenizer = load_tokenizer(Base("tiny", folder, "1"))
    if template is not None:
        tokenizer.chat_template = template
    return tokenizer


def read_answers(rendered):
    return [rendered.text[start:end] for start, end in rendered.answers]


@pytest.mark.parametrize("name", PLAIN)
def test_the_answers_of_a_stock_template_are_found(name, tiny_llama):
    template = (STOCK / f"{name}.jinja").read_text(encoding="utf-8")
    rendered = render_conversation(load(tiny_llama, template), TURNS)
    assert rendered.method == "marked"
    assert read_answers(rendered) == ["Squat as deep as you can.", "Then see a professional first."]
    assert OPEN not in rendered.text
    assert CLOSE not in rendered.text


@pytest.mark.parametrize("template", [PHI4, MISTRAL], ids=["phi-4-mini", "mistral"])
def test_templates_that_write_all_roles_in_one_expression_work_alike(template, tiny_llama):
    rendered = render_conversation(load(tiny_llama, template), TURNS)
    assert read_answers(rendered) == ["Squat as deep as you can.", "Then see a professional first."]


def test_a_template_that_trims_gets_the_trimmed_answer(tiny_llama):
    turns = [TURNS[0], {"role": "assistant", "content": "  Deep.\n"}]
    rendered = render_conversation(load(tiny_llama), turns)
    assert read_answers(rendered) == ["Deep."]
    assert rendered.text.endswith("\n\nDeep.<|eot_id|>")


def test_a_template_that_rewrites_answers_is_tried_by_what_the_last_answer_adds(tiny_llama):
    shouting = (
        "{% for message in messages %}{% if message['role'] == 'assistant' %}"
        "{{ '>' + message['content'] | replace('\uf8fe', '?') + '\n' }}"
        "{% else %}{{ message['content'] + '\n' }}{% endif %}{% endfor %}{% if add_generation_prompt %}>{% endif %}"
    )
    tokenizer = load(tiny_llama, shouting)
    rendered = render_conversation(tokenizer, TURNS[:2])
    assert (rendered.method, read_answers(rendered)) == ("suffix", ["Squat as deep as you can."])
    assert render_conversation(tokenizer, TURNS).method == "none"


def test_a_template_that_refuses_says_so(tiny_llama):
    tokenizer = load(tiny_llama, MISTRAL)
    with pytest.raises(TemplateError, match="Only user and assistant roles"):
        render_conversation(tokenizer, [{"role": "system", "content": "Be kind."}, *TURNS])


def test_the_prompt_is_what_a_server_would_send(tiny_qwen2):
    text = render_prompt(load(tiny_qwen2), TURNS[:1])
    assert text.endswith("<|im_start|>user\nHow deep should I squat?<|im_end|>\n<|im_start|>assistant\n")


@pytest.mark.parametrize(("fixture", "stop"), [("tiny_qwen2", "<|im_end|>"), ("tiny_llama", "<|eot_id|>")])
def test_exactly_the_answers_and_their_stop_tokens_are_trained(fixture, stop, request):
    folder = request.getfixturevalue(fixture)
    tokenizer = load(folder)
    stops = find_base_stops(Base("tiny", folder, "1"), tokenizer)
    found = tokenize_row(tokenizer, Row("a", turns=TURNS), "assistant", 512, stops)
    trained = tokenizer.decode([label for label in found.labels if label != IGNORED])
    assert trained == f"Squat as deep as you can.{stop}Then see a professional first.{stop}"
    assert found.faults == []
    assert found.ids == tokenizer.apply_chat_template(TURNS, tokenize=True)["input_ids"]
    assert [label for label, token in zip(found.labels, found.ids, strict=True) if label not in (IGNORED, token)] == []


def test_instruction_text_trains_the_completion_and_the_end_of_text(tiny_gpt2):
    tokenizer = load(tiny_gpt2)
    row = Row("a", prompt="### Instruction:\nHow deep?\n\n### Response:\n", completion="As deep as you can.")
    found = tokenize_row(tokenizer, row, "assistant", 512, {tokenizer.eos_token_id})
    assert tokenizer.decode([label for label in found.labels if label != IGNORED]) == "As deep as you can.<|endoftext|>"
    assert tokenizer.decode(found.ids) == row.prompt + row.completion + "<|endoftext|>"
    whole = tokenize_row(tokenizer, row, "all", 512, {tokenizer.eos_token_id})
    assert whole.labels == whole.ids


@given(
    answer=st.text(st.characters(exclude_categories=("Cs", "Co")), min_size=1, max_size=40).filter(str.strip),
    question=st.text(st.characters(exclude_categories=("Cs", "Co")), min_size=1, max_size=40).filter(str.strip),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_said_the_trained_tokens_spell_the_answer(answer, question, tiny_qwen2):
    tokenizer = load_once(tiny_qwen2)
    turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    found = tokenize_row(tokenizer, Row("a", turns=turns), "assistant", 4096, {tokenizer.eos_token_id})
    assert found.faults == []
    trained = tokenizer.decode([label for label in found.labels if label != IGNORED])
    normal = tokenizer.backend_tokenizer.normalizer.normalize_str(answer)
    assert trained.removesuffix("<|im_end|>").strip() == normal.strip()


_LOADED = {}


def load_once(folder):
    if folder not in _LOADED:
        _LOADED[folder] = load(folder)
    return _LOADED[folder]
