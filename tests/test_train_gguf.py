"""GGUF files hold what the model folder holds, in llama.cpp's order, or are not written."""

import json
import re
import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from schemas.errors import DeployError
from train.gguf import QUANTISATIONS, ggml, write_gguf
from train.gguf.architectures import describe_architecture
from train.gguf.k_quants import quantise_rows
from train.gguf.quantise import MAX_RELATIVE_ERROR, Quantiser, choose_type, find_quantiser
from train.gguf.rope import compute_rope_factors, describe_rope
from train.gguf.tokenizer import strip_generation_marks
from train.llama_client import LlamaClient
from train.local_server import serve_gguf

LLAMA = {
    "architectures": ["LlamaForCausalLM"], "hidden_size": 256, "intermediate_size": 512, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 512, "vocab_size": 1024,
    "rms_norm_eps": 1e-5, "hidden_act": "silu",
}  # fmt: skip


def read(path):
    import gguf

    reader = gguf.GGUFReader(path)
    keys = {name: field.contents() for name, field in reader.fields.items()}
    return keys, {tensor.name: tensor for tensor in reader.tensors}


def values_of(tensor):
    import gguf

    return gguf.dequantize(tensor.data, tensor.tensor_type)


def load(folder):
    from safetensors.torch import load_file

    return load_file(folder / "model.safetensors")


def store(folder, tensors):
    from safetensors.torch import save_file

    save_file({name: tensor.contiguous().clone() for name, tensor in tensors.items()}, folder / "model.safetensors",
              metadata={"format": "pt"})  # fmt: skip


def change_json(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.fixture
def qwen2(tiny_qwen2, tmp_path):
    return shutil.copytree(tiny_qwen2, tmp_path / "qwen2")


@pytest.fixture
def llama(tiny_llama, tmp_path):
    return shutil.copytree(tiny_llama, tmp_path / "llama")


def test_keys_say_what_the_config_says(tiny_qwen2, tmp_path):
    written = write_gguf(tiny_qwen2, tmp_path / "m.gguf", name="coach")
    keys, tensors = read(tmp_path / "m.gguf")
    assert {name: keys[f"qwen2.{name}"] for name in ("block_count", "embedding_length", "feed_forward_length",
            "context_length", "attention.head_count", "attention.head_count_kv", "rope.freq_base")} == {
        "block_count": 2, "embedding_length": 256, "feed_forward_length": 512, "context_length": 512,
        "attention.head_count": 4, "attention.head_count_kv": 2, "rope.freq_base": 1e6}  # fmt: skip
    assert (keys["general.name"], keys["general.file_type"], keys["tokenizer.ggml.pre"]) == ("coach", 1, "qwen2")
    assert keys["tokenizer.ggml.eos_token_id"] == 2
    assert len(keys["tokenizer.ggml.tokens"]) == 1024
    assert keys["tokenizer.ggml.token_type"][:4] == [3, 3, 3, 1]
    assert keys["tokenizer.chat_template"] == (tiny_qwen2 / "chat_template.jinja").read_text()
    # Tied: no output tensor. 12 tensors a block (3 biases among them), embeddings and the last norm.
    assert (written.num_tensors, len(tensors), "output.weight" in tensors) == (26, 26, False)


def test_llama_rows_of_query_and_key_are_interleaved(tiny_llama, tmp_path):
    write_gguf(tiny_llama, tmp_path / "m.gguf")
    tensors = read(tmp_path / "m.gguf")[1]
    stored = load(tiny_llama)
    for name, heads in (("q", 4), ("k", 2)):
        ours = values_of(tensors[f"blk.1.attn_{name}.weight"])
        source = stored[f"model.layers.1.self_attn.{name}_proj.weight"].half().float().numpy()
        half = 256 // 4 // 2
        for head in range(heads):
            first = head * 2 * half
            assert np.array_equal(ours[first], source[first])
            assert np.array_equal(ours[first + 1], source[first + half])
            assert np.array_equal(ours[first + 2], source[first + 1])
    plain = values_of(tensors["blk.1.attn_v.weight"])
    assert np.array_equal(plain, stored["model.layers.1.self_attn.v_proj.weight"].half().float().numpy())
    assert np.array_equal(values_of(tensors["output.weight"]), stored["lm_head.weight"].half().float().numpy())


def test_gpt2_weights_are_turned_round_and_positions_stay_exact(tiny_gpt2, tmp_path):
    write_gguf(tiny_gpt2, tmp_path / "m.gguf")
    keys, tensors = read(tmp_path / "m.gguf")
    stored = load(tiny_gpt2)
    source = stored["transformer.h.0.attn.c_attn.weight"].half().float().numpy()
    assert np.array_equal(values_of(tensors["blk.0.attn_qkv.weight"]), source.T)
    assert tensors["position_embd.weight"].tensor_type.name == "F32"
    assert np.array_equal(tensors["position_embd.weight"].data, stored["transformer.wpe.weight"].numpy())
    assert (keys["tokenizer.ggml.pre"], keys["gpt2.feed_forward_length"]) == ("gpt-2", 1024)


def test_bfloat16_and_shards_give_the_same_file_as_one_of_float32(qwen2, tmp_path):
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(qwen2, dtype=torch.bfloat16)
    sharded, plain = (shutil.copytree(qwen2, tmp_path / name) for name in ("sharded", "plain"))
    (sharded / "model.safetensors").unlink()
    model.save_pretrained(sharded, max_shard_size="1MB")
    assert len(list(sharded.glob("model-*.safetensors"))) > 1
    model.float().save_pretrained(plain)
    for folder in (sharded, plain):
        write_gguf(folder, tmp_path / f"{folder.name}.gguf", name="m")
    assert (tmp_path / "sharded.gguf").read_bytes() == (tmp_path / "plain.gguf").read_bytes()


def test_a_missing_shard_and_a_shard_elsewhere_are_named(qwen2, tmp_path):
    from transformers import AutoModelForCausalLM

    AutoModelForCausalLM.from_pretrained(qwen2).save_pretrained(qwen2, max_shard_size="1MB")
    (qwen2 / "model.safetensors").unlink(missing_ok=True)
    shard = min(qwen2.glob("model-*.safetensors"))
    shard.rename(tmp_path / shard.name)
    with pytest.raises(DeployError, match=f"shards missing: {shard.name}"):
        write_gguf(qwen2, tmp_path / "m.gguf")
    index = qwen2 / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"model.norm.weight": f"../{shard.name}"}}))
    with pytest.raises(DeployError, match="lies elsewhere"):
        write_gguf(qwen2, tmp_path / "m.gguf")


def remove_tokenizer(folder):
    (folder / "tokenizer.json").unlink()


def remove_weights(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def cut_weights(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:1000])


def remove_tensor(folder):
    tensors = load(folder)
    del tensors["model.layers.1.mlp.up_proj.weight"]
    store(folder, tensors)


def add_tensor(folder):
    tensors = load(folder)
    store(folder, tensors | {"model.layers.0.mlp.router.weight": tensors["model.norm.weight"]})


def untie(folder):
    tensors = load(folder)
    store(folder, tensors | {"lm_head.weight": tensors["model.embed_tokens.weight"] + 1})


def diverge(folder):
    tensors = load(folder)
    tensors["model.norm.weight"][3] = float("nan")
    store(folder, tensors)


def overflow(folder):
    tensors = load(folder)
    tensors["model.layers.0.mlp.up_proj.weight"][0, 0] = 1e6
    store(folder, tensors)


def grow_vocabulary(folder):
    raw = json.loads((folder / "tokenizer.json").read_text())
    raw["added_tokens"].append(dict(raw["added_tokens"][0], id=1024, content="<|new|>"))
    (folder / "tokenizer.json").write_text(json.dumps(raw))


def change_split(folder):
    text = (folder / "tokenizer.json").read_text()
    (folder / "tokenizer.json").write_text(text.replace("\\\\p{N}|", "\\\\p{N}{1,2}|"))


def normalise(folder):
    change_json(folder / "tokenizer.json", normalizer={"type": "Lowercase"})


def word_piece(folder):
    raw = json.loads((folder / "tokenizer.json").read_text())
    change_json(folder / "tokenizer.json", model=raw["model"] | {"type": "WordPiece"})


REFUSALS = {
    "no tokenizer": (remove_tokenizer, "tokenizer.json", "carries its tokenizer"),
    "pickled weights": (remove_weights, "only pytorch_model.bin, which can run code", "safetensors"),
    "damaged weights": (cut_weights, "model.safetensors", "damaged"),
    "a tensor too few": (remove_tensor, "model.layers.1.mlp.up_proj.weight is missing", "save the whole model"),
    "a tensor too many": (add_tensor, "1 tensors are unknown in qwen2: model.layers.0.mlp.router", "--llama-cpp PATH"),
    "tied but different": (untie, "differs from the embeddings", "tie_word_embeddings to false"),
    "not a number": (diverge, "model.norm.weight holds NaN", "train again"),
    "beyond float16": (overflow, "does not fit float16", "diverged"),
    "more tokens than rows": (grow_vocabulary, "1025 tokens, the model 1024 rows", "same base"),
    "another pre-tokenizer": (change_split, "pre-tokenizer", "--llama-cpp PATH"),
    "another normaliser": (normalise, "normalizer Lowercase", "--llama-cpp PATH"),
    "another kind of tokenizer": (word_piece, "WordPiece", "--llama-cpp PATH"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_would_come_out_wrong_is_refused_and_leaves_nothing(case, qwen2, tmp_path):
    damage, message, hint = REFUSALS[case]
    damage(qwen2)
    with pytest.raises(DeployError, match=re.escape(message)) as error:
        write_gguf(qwen2, tmp_path / "m.gguf")
    assert hint in error.value.hint
    assert sorted(path.name for path in tmp_path.iterdir()) == ["qwen2"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"architectures": ["PhiForCausalLM"]}, "architecture PhiForCausalLM"),
        ({"architectures": None, "model_type": "mamba"}, "architecture mamba"),
        ({"rope_parameters": {"rope_type": "yarn", "factor": 4.0}}, "RoPE type 'yarn'"),
        ({"rope_scaling": {"type": "longrope"}}, "RoPE type 'longrope'"),
        ({"hidden_act": "gelu"}, "hidden_act is 'gelu', expected 'silu'"),
        ({"architectures": ["Qwen2ForCausalLM"], "use_sliding_window": True}, "use_sliding_window is True"),
    ],
)
def test_unknown_models_are_refused_with_the_way_through_a_checkout(changes, message):
    with pytest.raises(DeployError, match=re.escape(message)) as error:
        describe_architecture(LLAMA | changes)
    assert "--llama-cpp PATH" in error.value.hint


def test_a_config_without_a_size_names_it():
    with pytest.raises(DeployError, match="intermediate_size is missing"):
        describe_architecture({key: value for key, value in LLAMA.items() if key != "intermediate_size"})


def test_a_sliding_window_bounds_the_context():
    assert describe_architecture(LLAMA | {"sliding_window": 128}).keys["context_length"] == 128
    assert describe_architecture(LLAMA | {"sliding_window": None}).keys["context_length"] == 512


def test_llama3_scaling_is_the_one_transformers_computes():
    from transformers import LlamaConfig
    from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

    scaling = {"rope_type": "llama3", "rope_theta": 500000.0, "factor": 32.0, "low_freq_factor": 1.0,
               "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}  # fmt: skip
    config = LlamaConfig(**{key: value for key, value in LLAMA.items() if key != "architectures"},
                         rope_parameters=scaling)  # fmt: skip
    scaled, _ = ROPE_INIT_FUNCTIONS["llama3"](config, device="cpu")
    plain = 500000.0 ** -(np.arange(0, 64, 2) / 64)
    factors = compute_rope_factors({"rope_parameters": scaling}, 64)
    assert np.allclose(plain / factors, scaled.numpy(), rtol=1e-5)
    assert (factors[0], factors[-1]) == (1.0, 32.0)
    # Earlier versions of transformers wrote the same in two places.
    older = {"rope_theta": 500000.0, "rope_scaling": {k: v for k, v in scaling.items() if k != "rope_theta"}}
    assert np.array_equal(compute_rope_factors(older, 64), factors)


def test_linear_scaling_is_a_key_and_plain_rope_has_no_factors():
    scaled = describe_rope({"rope_theta": 1e4, "rope_scaling": {"type": "linear", "factor": 2}}, 64)
    assert (scaled["rope.scaling.type"], scaled["rope.scaling.factor"]) == ("linear", 2.0)
    assert compute_rope_factors({"rope_theta": 1e4}, 64) is None


def test_q4_k_m_gives_six_bits_to_what_loses_most():
    def kind(name, *, is_tied=False, quantisation="q4_k_m", row=1024):
        return choose_type(name, (512, row), quantisation, 16, is_tied=is_tied)

    assert (kind("output.weight"), kind("token_embd.weight"), kind("token_embd.weight", is_tied=True)) == (
        "Q6_K", "Q4_K", "Q6_K")  # fmt: skip
    more = [layer for layer in range(16) if kind(f"blk.{layer}.attn_v.weight") == "Q6_K"]
    assert more == [0, 1, 4, 7, 10, 13, 14, 15]
    assert more == [layer for layer in range(16) if kind(f"blk.{layer}.ffn_down.weight") == "Q6_K"]
    assert kind("blk.0.attn_q.weight") == "Q4_K"
    # Rows that 256 does not divide fall back, and those that 32 does not divide stay halves.
    assert [kind("blk.0.attn_q.weight", row=row) for row in (1024, 96, 90)] == ["Q4_K", "Q5_0", "F16"]
    assert [kind("output.weight", row=row) for row in (1024, 96, 90)] == ["Q6_K", "Q8_0", "F16"]
    assert kind("blk.0.attn_q.weight", quantisation="q8_0") == "Q8_0"
    assert choose_type("blk.0.attn_norm.weight", (512,), "q4_k_m", 16, is_tied=False) == "F32"


def test_ggml_quantises_and_its_symbol_is_there():
    assert ggml.SYMBOL == "ggml_quantize_chunk"
    assert ggml.load_quantise_chunk() is not None
    assert find_quantiser().name == "ggml"


def test_without_the_symbol_numpy_quantises(monkeypatch):
    monkeypatch.setattr(ggml, "SYMBOL", "ggml_of_another_build")
    assert find_quantiser().name == "numpy"


@pytest.mark.parametrize("kind", MAX_RELATIVE_ERROR)
def test_numpy_is_as_exact_as_ggml(kind):
    import gguf

    weights = np.random.default_rng(0).normal(0, 0.02, (64, 1024)).astype(np.float32)
    native = ggml.load_quantise_chunk()(weights, kind)
    plain = quantise_rows(weights, kind)
    errors = [float(np.sqrt(np.mean((gguf.dequantize(blocks, gguf.GGMLQuantizationType[kind]) - weights) ** 2)))
              for blocks in (native, plain)]  # fmt: skip
    assert native.shape == plain.shape
    assert errors[1] < 1.1 * errors[0]
    assert errors[1] < 0.5 * MAX_RELATIVE_ERROR[kind] * 0.02
    if kind == "Q8_0":
        assert np.mean(native == plain) > 0.999


@settings(max_examples=30, deadline=None)
@given(
    hnp.arrays(np.float32, (2, 256), elements=st.floats(-8, 8, width=16)),
    st.sampled_from(["Q4_K", "Q6_K"]),
)
def test_blocks_of_any_values_read_back_within_the_range_of_their_group(values, kind):
    import gguf

    found = gguf.dequantize(quantise_rows(values, kind), gguf.GGMLQuantizationType[kind])
    group = {"Q4_K": 32, "Q6_K": 16}[kind]
    block = np.abs(values).max(axis=1, keepdims=True)
    spread = np.abs(values).reshape(2, -1, group).max(axis=2).repeat(group, axis=1)
    # Half a step of the group's own scale, and what rounding that scale against the block's costs.
    bound = {"Q4_K": spread * 0.2 + block * 0.06, "Q6_K": spread * 0.05 + block * 0.03}[kind] + 1e-3
    assert np.isfinite(found).all()
    assert (np.abs(found - values) <= bound).all()


def test_a_quantiser_that_writes_something_else_is_not_believed():
    weights = np.random.default_rng(0).normal(0, 1, (4, 256)).astype(np.float32)
    broken = Quantiser("broken", lambda values, kind: quantise_rows(-values, kind))
    with pytest.raises(DeployError, match=r"blk.0.attn_q.weight: Q4_K reads back with an error of 2.00"):
        broken.encode(weights, "Q4_K", "blk.0.attn_q.weight")


def test_smaller_mixes_are_smaller_and_hold_the_same_tensors(tiny_llama, tmp_path):
    files = {mix: write_gguf(tiny_llama, tmp_path / f"{mix}.gguf", mix) for mix in QUANTISATIONS}
    assert files["q4_k_m"].size_bytes < files["q8_0"].size_bytes < files["f16"].size_bytes
    shapes = [{name: tuple(tensor.shape) for name, tensor in read(file.path)[1].items()} for file in files.values()]
    assert shapes[0] == shapes[1] == shapes[2]
    assert read(files["q4_k_m"].path)[1]["output.weight"].tensor_type.name == "Q6_K"


def test_marks_of_trained_text_become_an_if_that_is_always_true():
    marked = "A\n{%- generation %}\n B {% endgeneration -%}\n C"
    assert strip_generation_marks(marked) == "A\n{%- if true %}\n B {% endif -%}\n C"
    assert strip_generation_marks("{% for m in messages %}generation{% endfor %}").count("generation") == 1


def make_sentencepiece(folder, *, split="all"):
    """A Llama whose tokenizer is a converted SentencePiece model: pieces with scores, every split of each a merge."""
    from tokenizers import Tokenizer, decoders, models, normalizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    pieces = [
        "▁s",
        "▁t",
        "at",
        "▁sq",
        "▁squ",
        "▁squat",
        "th",
        "he",
        "the",
        "▁the",
        "▁de",
        "ep",
        "▁deep",
        "ar",
        "▁bar",
        "▁b",
    ]
    letters = list(dict.fromkeys("▁" + "abcdefghijklmnopqrstuvwxyzHS0123456789.,!?"))
    vocabulary = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), *pieces, *letters]
    merges = [(piece[:cut], piece[cut:]) for piece in pieces for cut in range(1, len(piece))
              if {piece[:cut], piece[cut:]} <= set(vocabulary)]  # fmt: skip
    if split == "first":
        seen = set()
        merges = [pair for pair in merges if not ("".join(pair) in seen or seen.add("".join(pair)))]
    raw = Tokenizer(models.BPE({piece: n for n, piece in enumerate(vocabulary)}, merges, unk_token="<unk>",
                               byte_fallback=True, fuse_unk=True))  # fmt: skip
    raw.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    raw.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    made = PreTrainedTokenizerFast(tokenizer_object=raw, bos_token="<s>", eos_token="</s>", unk_token="<unk>")
    made.save_pretrained(folder)
    config = LlamaConfig(hidden_size=64, intermediate_size=64, num_hidden_layers=1, num_attention_heads=2,
                         num_key_value_heads=2, vocab_size=len(vocabulary) + 5, max_position_embeddings=128)  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def test_sentencepiece_text_is_cut_as_tokenizers_cuts_it(tmp_path):
    from tokenizers import Tokenizer

    folder = make_sentencepiece(tmp_path / "mistral")
    write_gguf(folder, tmp_path / "m.gguf")
    keys = read(tmp_path / "m.gguf")[0]
    assert (keys["tokenizer.ggml.model"], keys["tokenizer.ggml.add_space_prefix"]) == ("llama", True)
    assert keys["tokenizer.ggml.token_type"][-5:] == [5] * 5
    reference = Tokenizer.from_file(str(folder / "tokenizer.json"))
    with serve_gguf(tmp_path / "m.gguf", threads=1) as server:
        client = LlamaClient(server.url)
        for text in ("the squat is deep", "that bar, the deepest squats!", "Hör zu: 💪 105", "  two  spaces", "s"):
            assert client.tokenize(text) == reference.encode(text).ids, text


def test_merges_that_no_sentencepiece_model_has_are_refused(tmp_path):
    folder = make_sentencepiece(tmp_path / "odd", split="first")
    with pytest.raises(DeployError, match="do not come from a SentencePiece model"):
        write_gguf(folder, tmp_path / "m.gguf")
