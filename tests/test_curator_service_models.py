"""GGUF files behind the gateway: several at once, and none is ended under a question."""

import asyncio

import pytest

from curator.project import open_project
from curator.service.errors import ServiceError
from curator.service.gateway.models import MAX_LOCAL, Models
from train.gguf import write_gguf


@pytest.fixture
def files(tmp_path, tiny_qwen2):
    (tmp_path / "curator.toml").write_text('pack = "fitness"\n')
    paths = [tmp_path / f"{number}.gguf" for number in range(MAX_LOCAL + 2)]
    write_gguf(tiny_qwen2, paths[0])
    for path in paths[1:]:
        path.hardlink_to(paths[0])
    return paths


def test_a_file_that_a_question_is_prepared_for_stays_loaded_and_one_that_gave_way_is_not_loaded_again(files):
    async def ask():
        models = Models(open_project(files[0].parent))
        first, second = [await models._open_file(path) for path in files[:2]]
        url = (await first._connect())[1]
        with first.hold():
            for path in files[2:]:
                await models._open_file(path)
            assert len(models._local) == MAX_LOCAL
            assert files[0] in models._local
            assert (await first._connect())[1] == url
            # The second one gave way; a question that was on its way to it must not load it behind everybody's back.
            with pytest.raises(ServiceError, match="taken this one's place") as refused:
                await second.complete({"messages": []})
        assert (refused.value.status, second.is_busy, first.is_busy) == (503, False, False)
        await models.close()
        with pytest.raises(ServiceError, match="taken this one's place"):
            await first._connect()

    asyncio.run(ask())
