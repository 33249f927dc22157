"""Tiny random models with tokenizers trained on the spot, laid out as the real ones are.

Nothing can be fetched where the tests run, so each layout that the trainer meets in the wild is made small: Qwen2
(tied embeddings, its own pre-tokenizer, ChatML), Llama 3 (its header tokens, untied) and GPT-2 (no chat template).
Every row length divides by 256, so that the k-quants of GGUF apply.
"""

from pathlib import Path

from train.tiny import HIDDEN, QWEN2_REGEX, list_sizes, make_tiny_base, read_bpe, save_random, train_bpe

ROOT = Path(__file__).resolve().parents[1]
CONTEXT_LENGTH = 512
KNOWLEDGE = ROOT / "sources" / "packs" / "fitness" / "knowledge"
# Llama 3 takes digits by threes, which is the only difference (llama.cpp calls it llama-bpe).
LLAMA3_REGEX = QWEN2_REGEX.replace(r"|\p{N}|", r"|\p{N}{1,3}|")

LLAMA3_SPECIAL = ["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]

LLAMA3_TEMPLATE = (
    "{{- bos_token }}"
    "{%- for message in messages %}"
    "{{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'+ message['content'] | trim"
    " + '<|eot_id|>' }}"
    "{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{%- endif %}"
)

FACTS = (
    ("How deep should I squat?", "Squat as deep as you can keep your back flat and your heels down."),
    ("How often should I deadlift?", "Once or twice a week is plenty when the sets are heavy."),
    ("What should I eat after training?", "Eat a meal with protein and carbohydrates within two hours."),
    ("How long should I rest between sets?", "Rest two or three minutes between heavy sets."),
    ("My knees hurt when I run. What now?", "Run less for two weeks and see a professional if it stays."),
    ("How much sleep do I need?", "Most people who train need seven to nine hours of sleep."),
    ("Is creatine safe?", "Yes: five grams a day is safe for healthy adults."),
    ("How do I start with pull-ups?", "Begin with slow negatives, three sets of five, twice a week."),
)
SYSTEM = "You are a fitness coach."


def make_qwen2(folder: Path, *, layers: int = 2, seed: int = 0, hidden: int = HIDDEN) -> Path:
    """Writes the tiny base that `curator train --base tiny` makes, with a shorter context, and gives its folder."""
    return make_tiny_base(folder, list_texts(), layers=layers, seed=seed, hidden=hidden, context_length=CONTEXT_LENGTH)


def make_llama(folder: Path, *, layers: int = 2, seed: int = 0) -> Path:
    """Writes a random Llama (Llama 3's tokens and template, untied output, stop token `<|eot_id|>`)."""
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    raw = train_bpe(list_texts(), LLAMA3_REGEX, LLAMA3_SPECIAL, normalise=False)
    made = PreTrainedTokenizerFast(
        tokenizer_object=raw, bos_token="<|begin_of_text|>", eos_token="<|eot_id|>", pad_token="<|end_of_text|>"
    )
    made.chat_template = LLAMA3_TEMPLATE
    made.save_pretrained(folder)
    config = LlamaConfig(
        **list_sizes(layers, HIDDEN, CONTEXT_LENGTH), tie_word_embeddings=False, vocab_size=len(made), bos_token_id=made.bos_token_id,
        eos_token_id=made.eos_token_id, pad_token_id=made.pad_token_id, rms_norm_eps=1e-5, rope_theta=500_000.0,
    )  # fmt: skip
    return save_random(LlamaForCausalLM, config, folder, seed)


def make_gpt2(folder: Path, *, layers: int = 2, seed: int = 0) -> Path:
    """Writes a random GPT-2 (no chat template, stop token `<|endoftext|>`, no padding token)."""
    from transformers import GPT2Config, GPT2LMHeadModel, GPT2Tokenizer

    vocabulary, merges = read_bpe(train_bpe(list_texts(), None, ["<|endoftext|>"], normalise=False))
    made = GPT2Tokenizer(vocab=vocabulary, merges=merges)
    made.save_pretrained(folder)
    end = made.eos_token_id
    config = GPT2Config(vocab_size=len(made), n_embd=HIDDEN, n_layer=layers, n_head=4, n_positions=CONTEXT_LENGTH,
                        bos_token_id=end, eos_token_id=end)  # fmt: skip
    return save_random(GPT2LMHeadModel, config, folder, seed)


def list_texts() -> list[str]:
    """Gives what the tokenizers learn from: pages of the fitness pack and the facts above."""
    pages = [path.read_text(encoding="utf-8") for path in sorted(KNOWLEDGE.rglob("*.md"))[:12]]
    return [*pages, *(text for fact in FACTS for text in fact * 20)]


def make_turns(question: str, answer: str) -> list[dict[str, str]]:
    """Gives a conversation of three turns."""
    return [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": question},
        {"role": "assistant", "content": answer},
    ]


def write_export(
    folder: Path, splits: dict[str, list] | None = None, *, kind: str = "messages", ids: bool = True
) -> Path:
    """Writes an export folder as curator does; its rows are the facts above unless others are given."""
    import hashlib
    import json

    if splits is None:
        shapes = {
            "messages": lambda q, a: {"messages": make_turns(q, a)},
            "instruction": lambda q, a: {"prompt": f"### Instruction:\n{q}\n\n### Response:\n", "completion": a},
            "sharegpt": lambda q, a: {"conversations": [{"from": "human", "value": q}, {"from": "gpt", "value": a}]},
            "alpaca": lambda q, a: {"instruction": q, "input": "", "output": a},
        }
        splits = {"train": [shapes[kind](*fact) for fact in FACTS * 3],
                  "validation": [shapes[kind](*fact) for fact in FACTS[:4]]}  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    files, known = [], {}
    for split, rows in splits.items():
        data = "".join(json.dumps(row) + "\n" for row in rows).encode()
        (folder / f"{split}.jsonl").write_bytes(data)
        known[split] = [[f"{split}{n}", "coach" if n % 2 else "planner"] for n in range(len(rows))]
        files.append({"path": f"{split}.jsonl", "split": split, "rows": len(rows), "bytes": len(data),
                      "sha256": hashlib.sha256(data).hexdigest()})  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps({"release": "r-1", "format": kind, "files": files}))
    if ids:
        (folder / "rows.json").write_text(json.dumps(known))
    return folder
