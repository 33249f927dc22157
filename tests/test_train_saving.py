"""A disk that takes no more: the libraries' own words for it become one line that says what to do."""

import errno
import resource
import signal

import pytest

from schemas.errors import TrainError
from train.saving import explain_saving


@pytest.fixture
def small_files():
    """No file may grow beyond 4 KB: the operating system refuses, as it does on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    signal.signal(signal.SIGXFSZ, before)


def test_what_the_system_told_safetensors_is_told(tmp_path, small_files):
    import torch
    from safetensors.torch import save_file

    with pytest.raises(OSError, match=str(tmp_path)) as caught, explain_saving(tmp_path):
        save_file({"weight": torch.zeros(100_000)}, tmp_path / "weights.safetensors")
    assert caught.value.errno == errno.EFBIG
    assert caught.value.filename == str(tmp_path)


def test_what_torch_cannot_write_is_told_without_a_reason(tmp_path, small_files):
    import torch

    with pytest.raises(TrainError, match="could not write a checkpoint") as caught, explain_saving(tmp_path):
        torch.save({"weight": torch.zeros(100_000)}, tmp_path / "optimizer.pt")
    assert "room" in caught.value.hint


def test_other_errors_stay_what_they_are(tmp_path):
    with pytest.raises(RuntimeError, match=r"^shapes differ$"), explain_saving(tmp_path):
        raise RuntimeError("shapes differ")
