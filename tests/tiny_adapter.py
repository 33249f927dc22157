"""A LoRA adapter that changes the tiny models' answers, drawn at random instead of trained."""

from pathlib import Path


def make_adapter(base: Path, folder: Path, *, seed: int = 1) -> Path:
    """Writes a random adapter on all linear layers of a model, with the base's tokenizer, and gives its folder."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.set_num_threads(1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = AutoModelForCausalLM.from_pretrained(base)
        config = LoraConfig(
            r=8, lora_alpha=16, target_modules="all-linear", init_lora_weights=False, task_type="CAUSAL_LM"
        )
        get_peft_model(model, config).save_pretrained(folder)
    AutoTokenizer.from_pretrained(base).save_pretrained(folder)
    return folder
