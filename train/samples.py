"""Fixed prompts put to the model at every epoch, so that a person sees what it has learnt so far."""

from typing import Any

from schemas.recipe import SampleSection
from train.template import render_prompt


def render_sample_prompt(tokenizer: Any, prompt: str, system: str | None) -> str:
    """Gives the text that is put to the model: a chat turn, or the instruction text of a base without a template."""
    if not tokenizer.chat_template:
        return "\n\n".join([*([system] if system else []), f"### Instruction:\n{prompt}", "### Response:\n"])
    turns = [{"role": "system", "content": system}] if system else []
    return render_prompt(tokenizer, [*turns, {"role": "user", "content": prompt}])


def sample_answers(
    model: Any, tokenizer: Any, settings: SampleSection, stop_ids: set[int], seed: int, system: str | None = None
) -> list[dict[str, str]]:
    """Gives an answer to each fixed prompt.

    Draws with a seed of its own and puts the random state back, so that looking does not change the training.

    Args:
        model: The model under training; left in the mode it was in.
        tokenizer: Its tokenizer.
        settings: Prompts, temperature, top_k, length.
        stop_ids: Tokens that end an answer.
        seed: The same one gives the same answers of the same weights.
        system: System prompt, if any.
    """
    import torch

    was_training = model.training
    model.eval()
    answers = []
    devices = [model.device] if model.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices), torch.no_grad():
        torch.manual_seed(seed)
        for prompt in settings.prompts:
            text = render_sample_prompt(tokenizer, prompt, system)
            encoded = tokenizer(text, add_special_tokens=False, return_tensors="pt").to(model.device)
            output = model.generate(
                **encoded,
                do_sample=True,
                temperature=settings.temperature,
                top_k=settings.top_k,
                max_new_tokens=settings.max_new_tokens,
                eos_token_id=sorted(stop_ids),
                pad_token_id=tokenizer.pad_token_id,
                use_cache=True,
            )
            answer = tokenizer.decode(output[0, encoded["input_ids"].shape[1] :], skip_special_tokens=True)
            answers.append({"prompt": prompt, "answer": answer.strip()})
    model.train(was_training)
    return answers
