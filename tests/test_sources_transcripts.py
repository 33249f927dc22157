import json
import os
from pathlib import Path

import polars as pl
import pytest
from pydantic import ValidationError

from schemas.document import DOCUMENT_COLUMNS
from schemas.errors import ConfigError
from schemas.frames import check_frame
from sources.packs.loader import load_pack
from sources.protocol import Rejection, SourceContext
from sources.transcripts import TranscriptsSource

VTT = """WEBVTT
Kind: captions
Language: en

00:00:01.000 --> 00:00:03.500
Brace before
you <b>lift</b> &amp; breathe.

00:00:03.500 --> 00:00:05.000
Then stand up.
"""
ROLLING = """WEBVTT

00:00:00.080 --> 00:00:02.560 align:start position:0%
{blank}
keep<00:00:00.390><c> your</c><00:00:00.700><c> back</c>

00:00:02.560 --> 00:00:02.570 align:start position:0%
keep your back
{blank}

00:00:02.570 --> 00:00:05.050 align:start position:0%
keep your back
flat<00:00:02.880><c> no</c>

00:00:05.050 --> 00:00:05.060 align:start position:0%
flat no
{blank}

00:00:05.060 --> 00:00:07.540 align:start position:0%
flat no
flat<00:00:05.390><c> no</c>
""".replace("{blank}", " ")
TURNS = """**Ann Host:** How do you start?

**Dr. Bo Guest, Psy.D:** \\[00:12\\] With *one* small habit.

And then you keep [it](https://example.org) up.

**Ann Host:** Every day?

**Dr. Bo Guest, Psy.D:** Every day.
"""


def write(folder: Path, name: str, data: str | bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def read_all(
    *paths: Path, after: str | None = None, **options: object
) -> tuple[pl.DataFrame, list[Rejection], list[str | None]]:
    context = SourceContext(root=Path(), pack=load_pack("fitness"))
    source = TranscriptsSource(TranscriptsSource.Options(path=list(paths), **options), context)
    batches = list(source.read(after))
    for batch in batches:
        check_frame(batch.documents, DOCUMENT_COLUMNS, "test")
    documents = pl.concat([batch.documents for batch in batches])
    return documents, [r for batch in batches for r in batch.rejections], [batch.cursor for batch in batches]


def read_row(path: Path, **options: object) -> tuple[dict, dict]:
    documents, rejections, _ = read_all(path, **options)
    assert not rejections
    row = documents.row(0, named=True)
    return row, json.loads(row["metadata"])


def test_a_vtt_becomes_one_line_a_cue_with_its_times(tmp_path):
    row, metadata = read_row(write(tmp_path / "talks", "brace.vtt", VTT))
    assert row["content"] == "Brace before you lift & breathe.\nThen stand up."
    assert metadata["cues"] == [[1.0, 3.5], [3.5, 5.0]]
    assert metadata["language"] == "en"
    assert (row["kind"], row["source"], row["natural_key"]) == ("transcript", "transcripts", "talks/brace.vtt")


def test_rolling_captions_keep_each_word_once_and_a_sentence_said_twice_twice(tmp_path):
    row, metadata = read_row(write(tmp_path, "auto.vtt", ROLLING))
    assert row["content"].split("\n") == ["keep your back", "flat no", "flat no"]
    assert [cue[0] for cue in metadata["cues"]] == [0.08, 2.57, 5.06]
    assert metadata["is_generated"] is True


def test_an_srt_keeps_text_of_good_blocks_and_says_who_spoke(tmp_path):
    srt = (
        "1\n00:00:01,000 --> 00:00:02,000\nMing: Hello.\n\n"
        "2\n00:00:02,000 --> 00:00:03,000\nMy friends.\n\n"
        "3\n00:00:03,000 --> what\nlost\n\n"
        "4\n00:00:04,000 --> 00:00:05,000\n>> Bo: Hi.\n"
    )
    documents, rejections, _ = read_all(write(tmp_path, "talk.srt", srt))
    metadata = json.loads(documents["metadata"][0])
    assert documents["content"][0].split("\n") == ["Hello.", "My friends.", "Hi."]
    assert metadata["speakers"] == ["Speaker 1", "Speaker 1", "Speaker 2"]
    assert "Ming" not in documents["content"][0] + documents["metadata"][0]
    assert [(r.reason, r.is_fault) for r in rejections] == [("broken_cues", True)]


@pytest.mark.parametrize("name", ["a.sbv", "a.sub", "a.txt"])
def test_comma_times_are_read_from_sbv_sub_and_txt(tmp_path, name):
    _, metadata = read_row(write(tmp_path, name, "0:00:01.000,0:00:02.500\nChest up.\n\n0:00:02.500,0:00:04.000\nGo."))
    assert metadata["cues"] == [[1.0, 2.5], [2.5, 4.0]]


@pytest.mark.parametrize(
    "data",
    [
        [{"text": "Chest up.", "start": 1, "duration": 1.5}],
        [[{"text": "Chest up.", "start": 1, "duration": 1.5}]],
        {"video_id": "abc", "snippets": [{"text": "Chest up.", "start": 1.0, "duration": 1.5}]},
        {"segments": [{"text": " Chest up. ", "start": 1.0, "end": 2.5}]},
        {"events": [{"tStartMs": 1000, "dDurationMs": 1500, "segs": [{"utf8": "Chest"}, {"utf8": " up."}]}]},
    ],
)
def test_every_json_shape_gives_the_same_cues(tmp_path, data):
    row, metadata = read_row(write(tmp_path, "a.json", json.dumps(data)))
    assert row["content"] == "Chest up."
    assert metadata["cues"] == [[1.0, 2.5]]


def test_speaker_turns_keep_their_words_but_not_the_names(tmp_path):
    row, metadata = read_row(write(tmp_path, "show.md", TURNS))
    assert row["content"].split("\n") == [
        "How do you start?",
        "[00:12] With one small habit.",
        "And then you keep it up.",
        "Every day?",
        "Every day.",
    ]
    assert metadata["speakers"] == ["Speaker 1", "Speaker 2", "Speaker 2", "Speaker 1", "Speaker 2"]
    assert metadata["file_lines"] == [1, 3, 5, 7, 9]
    assert "Bo" not in json.dumps(metadata)
    assert len(metadata["speaker_hashes"]["Speaker 2"]) == 32


def test_plain_name_labels_are_turns_but_a_list_of_terms_is_not(tmp_path):
    turns = "Ann: How?\n\nBo: So.\n\nAnn: Why?\n\nBo: Because.\n"
    _, metadata = read_row(write(tmp_path, "show.txt", turns))
    assert metadata["speakers"][:2] == ["Speaker 1", "Speaker 2"]
    _, rejections, _ = read_all(write(tmp_path, "page.md", "# Squat\n\nBrace.\n\nNote: keep going.\n"))
    assert [(r.reason, r.is_fault) for r in rejections] == [("no_speaker_turns", False)]


def test_front_matter_gives_title_and_language_and_keeps_line_numbers(tmp_path):
    row, metadata = read_row(write(tmp_path, "show.md", "---\ntitle: Habits\nlanguage: en\n---\n" + TURNS))
    assert row["title"] == "Habits"
    assert metadata["language"] == "en"
    assert metadata["file_lines"][0] == 5


def test_yt_dlp_names_and_info_files_give_video_chapters_and_url(tmp_path):
    write(tmp_path, "Squat [dQw4w9WgXcQ].en.vtt", VTT)
    info = {"id": "dQw4w9WgXcQ", "title": "Squat", "chapters": [{"start_time": 3, "title": "Up"}, {"start_time": "x"}]}
    write(tmp_path, "Squat [dQw4w9WgXcQ].info.json", json.dumps(info))
    row, metadata = read_row(tmp_path)
    assert row["title"] == "Squat"
    assert row["url"] == "https://www.youtube.com/watch?v=dQw4w9WgXcQ"
    assert metadata["video"] == "dQw4w9WgXcQ"
    assert metadata["chapters"] == [[3.0, "Up"]]


def test_options_name_the_rights_the_language_and_the_address(tmp_path):
    row, metadata = read_row(
        write(tmp_path / "pod", "one.srt", "1\n00:00:01,000 --> 00:00:02,000\nHi.\n"),
        language="en",
        licence="CC-BY-4.0",
        permission="granted",
        basis="the host said yes",
        attribution="The Show",
        url_template="https://example.org/{stem}?from={key}",
    )
    assert metadata["language"] == "en"
    assert (row["licence"], row["permission"], row["basis"]) == ("CC-BY-4.0", "granted", "the host said yes")
    assert row["url"] == "https://example.org/one?from=pod/one.srt"


@pytest.mark.parametrize("template", ["{nope}", "{0}", "{", "{video.a}"])
def test_a_template_with_other_fields_is_refused(tmp_path, template):
    with pytest.raises(ValidationError, match="video"):
        TranscriptsSource.Options(path=[tmp_path], url_template=template)


BROKEN = {
    "empty.vtt": ("", "not_vtt"),
    "headless.vtt": ("00:00:01.000 --> 00:00:02.000\nHi.\n", "not_vtt"),
    "silent.vtt": ("WEBVTT\n", "no_cues"),
    "words.srt": ("some text", "no_cues"),
    "bare.srt": ("some text\n00:00:00,500 --> 00:00:07,000", "no_cues"),
    "words.sbv": ("some text", "not_sbv"),
    "nothing.sbv": ("\n\n", "not_sbv"),
    "ages.srt": ("1\n55555555555555:00:01,000 --> 00:00:02,000\nslow\n", "broken_time"),
    "frames.sub": ("{0}{25}Hi.\n{25}{50}Ho.\n", "frame_times"),
    "list.json": ('[{"text": "a"', "broken_json"),
    "other.json": ('{"a": 1}', "not_captions"),
    "odd.json": ('[1, {"text": 2, "start": 0}, {"text": "a", "start": true}]', "no_cues"),
    "sjis.sub": ("0:00:01.000,0:00:02.000\nサイト".encode("shift_jis"), "invalid_utf8"),
    "paper.md": (b"%PDF-1.7\nx", "binary_file"),
}


def test_each_broken_file_is_one_line_and_the_good_one_beside_it_is_kept(tmp_path):
    for name, (data, _) in BROKEN.items():
        write(tmp_path, name, data)
    write(tmp_path, "good.vtt", VTT)
    documents, rejections, _ = read_all(tmp_path)
    assert documents["natural_key"].to_list() == [f"{tmp_path.name}/good.vtt"]
    assert {Path(r.where).name: r.reason for r in rejections} == {name: reason for name, (_, reason) in BROKEN.items()}
    assert all(r.is_fault for r in rejections if r.reason != "not_captions")


DAMAGED = {
    "time.vtt": "WEBVTT\n\n00:01.000 --> 00:02.000\nOne.\n\n00:02.000 --> 00:0x.000\nTwo.\n",
    "untimed.vtt": "WEBVTT\n\n00:01.000 --> 00:02.000\nOne.\n\nTwo.\n\nNOTE three\n",
    "time.sbv": "0:00:01.000,0:00:02.000\nOne.\n\n0:00:02.f00,0:00:03.000\nTwo.\n",
    "untimed.sbv": "0:00:01.000,0:00:02.000\nOne.\n\nTwo.\n",
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_cue_is_counted_and_the_others_are_kept(tmp_path, name):
    documents, rejections, _ = read_all(write(tmp_path, name, DAMAGED[name]))
    assert documents["content"].to_list() == ["One."]
    assert [r.reason for r in rejections] == ["broken_cues"]
    assert rejections[0].detail == "1 cue without a valid time line; the other 1 are kept"


def test_links_out_of_the_folder_and_pipes_are_refused(tmp_path):
    secret = write(tmp_path / "other", "secret.vtt", VTT)
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "link.vtt").symlink_to(secret)
    os.mkfifo(folder / "pipe.vtt")
    documents, rejections, _ = read_all(folder)
    assert documents.is_empty()
    assert {r.reason for r in rejections} == {"outside_root", "not_a_file"}


def test_missing_paths_empty_folders_and_colliding_names_are_config_errors(tmp_path):
    (tmp_path / "empty").mkdir()
    write(tmp_path / "a" / "subs", "x.vtt", VTT)
    write(tmp_path / "b" / "subs", "x.vtt", VTT)
    with pytest.raises(ConfigError, match="no such file"):
        read_all(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match="no transcript"):
        read_all(tmp_path / "empty")
    with pytest.raises(ConfigError, match="stored as subs/x"):
        read_all(tmp_path / "a" / "subs", tmp_path / "b" / "subs")


def test_the_same_file_named_twice_is_read_once(tmp_path):
    path = write(tmp_path, "x.vtt", VTT)
    documents, _, _ = read_all(tmp_path, path)
    assert documents.height == 1


def test_a_cursor_goes_on_after_the_last_file_and_gives_the_same_rows(tmp_path):
    for number in range(70):
        write(tmp_path, f"{number:03}.vtt", VTT)
    everything, _, cursors = read_all(tmp_path)
    assert cursors == [f"{tmp_path.name}/049.vtt", None]
    rest, _, _ = read_all(tmp_path, after=cursors[0])
    assert rest["id"].to_list() == everything["id"].to_list()[50:]
    assert everything["id"].n_unique() == 70


def test_ids_do_not_depend_on_where_the_folder_lies(tmp_path):
    one, _ = read_row(write(tmp_path / "here" / "pod", "x.md", TURNS))
    two, _ = read_row(write(tmp_path / "there" / "pod", "x.md", TURNS.replace("Ann Host", "Zoe Host")))
    assert one["id"] == two["id"]
