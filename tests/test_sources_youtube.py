import io
import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

import polars as pl
import pytest
import requests
import youtube_transcript_api
from pydantic import ValidationError
from requests.adapters import BaseAdapter
from youtube_transcript_api import YouTubeTranscriptApiException
from youtube_transcript_api.proxies import GenericProxyConfig, WebshareProxyConfig

from schemas.document import DOCUMENT_COLUMNS
from schemas.errors import ConfigError, SourceInterruptedError
from schemas.frames import check_frame
from schemas.identity import hash_author
from sources.packs.loader import load_pack
from sources.protocol import Batch, SourceContext
from sources.youtube import YoutubeSource
from sources.youtube.details import find_chapters, read_details
from sources.youtube.failures import MEANINGS
from sources.youtube.ids import parse_listing_url, parse_video_id
from sources.youtube.listing import list_videos, read_entries
from sources.youtube.proxies import build_proxies

GOOD = "aaaaaaaaaaa"
WATCH = '<html><script>ytcfg.set({"INNERTUBE_API_KEY":"key-of-the-page"})</script></html>'
CONSENT = '<form action="https://consent.youtube.com/s"><input name="v" value="cb.20260101"></form>'
CAPTIONS = [(0.0, 2.5, "Brace before\nyou lift."), (2.0, 3.0, "Then &#39;stand&#39; up."), (5.0, 1.0, "")]


def track(language: str = "en", *, kind: str = "", extra: str = "") -> dict:
    url = f"https://www.youtube.com/api/timedtext?v=x&lang={language}&kind={kind}{extra}&fmt=srv3"
    return {"baseUrl": url, "name": {"runs": [{"text": language}]}, "languageCode": language, "kind": kind}


def player(*tracks: dict, **status: object) -> dict:
    return {
        "playabilityStatus": {"status": "OK", **status},
        "captions": {"playerCaptionsTracklistRenderer": {"captionTracks": list(tracks)}},
        "videoDetails": {
            "title": "How to squat",
            "author": "Coach Ann",
            "shortDescription": "My plan\n0:00 Intro\n0:02 - Stand up\n(1:00:03) Sets",
        },
    }


def timedtext(*cues: tuple[float, float, str]) -> str:
    lines = "".join(f'<text start="{start}" dur="{length}">{escape(text)}</text>' for start, length, text in cues)
    return f'<?xml version="1.0" encoding="utf-8" ?><transcript>{lines}</transcript>'


class YouTubeStub(BaseAdapter):
    """Answers as YouTube does: a watch page, the player's JSON, and timed text, by video id."""

    def __init__(self, **answers: object) -> None:
        super().__init__()
        self.answers = answers
        self.requested: list[str] = []

    def send(self, request, **_):
        address = urlsplit(request.url)
        query = {key: values[0] for key, values in parse_qs(address.query).items()}
        if address.path == "/watch":
            self.requested.append(query["v"])
            status, body = self._find(query["v"], "watch", WATCH)
        elif address.path == "/youtubei/v1/player":
            assert query["key"] == "key-of-the-page"
            status, body = self._find(json.loads(request.body)["videoId"], "player", player(track()))
        else:
            status, body = self._find(self.requested[-1], query.get("kind") or query["lang"], timedtext(*CAPTIONS))
        return self._build(request, status, body)

    def _find(self, video, part, default):
        answer = self.answers.get(video, {})
        answer = answer.get(part, default) if isinstance(answer, dict) else answer
        if isinstance(answer, list):
            answer = answer.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, tuple) else (200, answer)

    def _build(self, request, status, body):
        response = requests.Response()
        response.status_code = status
        response.url = request.url
        response.request = request
        response.reason = "stub"
        response._content = (body if isinstance(body, str) else json.dumps(body)).encode()
        response.encoding = "utf-8"
        response.raw = None
        return response

    def close(self):
        pass


def make_source(stub: YouTubeStub, stored: tuple[str, ...] = (), root: Path = Path(), **options: object):
    session = requests.Session()
    session.mount("https://", stub)
    context = SourceContext(root=root, pack=load_pack("fitness"), stored_keys=lambda: iter(stored))
    return YoutubeSource(YoutubeSource.Options(**{"pause_s": 0, **options}), context, session)


def read_all(stub: YouTubeStub, *ids: str, **options: object) -> list[Batch]:
    batches = list(make_source(stub, ids=list(ids), **options).read(None))
    for batch in batches:
        check_frame(batch.documents, DOCUMENT_COLUMNS, "test")
    return batches


def test_a_video_becomes_a_transcript_with_times_title_chapters_and_address():
    [batch] = read_all(YouTubeStub(), GOOD)
    row = batch.documents.row(0, named=True)
    metadata = json.loads(row["metadata"])
    assert row["content"] == "Brace before you lift.\nThen 'stand' up."
    assert metadata["cues"] == [[0.0, 2.0], [2.0, 5.0]]
    assert metadata["chapters"] == [[0.0, "Intro"], [2.0, "Stand up"], [3603.0, "Sets"]]
    assert (metadata["video"], metadata["language"], metadata["is_generated"]) == (GOOD, "en", False)
    assert (row["natural_key"], row["title"], row["kind"]) == (GOOD, "How to squat", "transcript")
    assert row["url"] == f"https://www.youtube.com/watch?v={GOOD}"
    assert row["author_hash"] == hash_author("Coach Ann", SourceContext.salt)
    assert "Ann" not in json.dumps([row["content"], row["metadata"]])
    assert batch.cursor is None


@pytest.mark.parametrize(
    ("tracks", "languages", "expected"),
    [
        ([track("en", kind="asr"), track("en")], ["en"], ("en", False)),
        ([track("en", kind="asr"), track("ar")], ["en", "ar"], ("ar", False)),
        ([track("ar"), track("en")], ["en", "ar"], ("en", False)),
        ([track("de"), track("en-GB")], ["en"], ("en-GB", False)),
        ([track("en-GB"), track("en")], ["en"], ("en", False)),
        ([track("en", kind="asr")], ["en"], ("en", True)),
    ],
)
def test_manual_captions_come_before_generated_ones_and_then_the_preferred_language(tracks, languages, expected):
    [batch] = read_all(YouTubeStub(**{GOOD: {"player": player(*tracks)}}), GOOD, languages=languages)
    metadata = json.loads(batch.documents["metadata"][0])
    assert (metadata["language"], metadata["is_generated"]) == expected


BOT = player(status="LOGIN_REQUIRED", reason="Sign in to confirm you’re not a bot")
FAILURES = {
    "no captions at all": ({"player": {"playabilityStatus": {"status": "OK"}}}, "absent"),
    "other languages": ({"player": player(track("de"))}, "absent"),
    "silent": ({"en": timedtext((0, 1, " "))}, "absent"),
    "gone": ({"player": player(status="ERROR", reason="This video is unavailable")}, "permanent"),
    "private": ({"player": player(status="CUSTOM", reason="Private video")}, "permanent"),
    "age": (
        {"player": player(status="LOGIN_REQUIRED", reason="This video may be inappropriate for some users.")},
        "permanent",
    ),
    "captions gone": ({"en": (404, "")}, "permanent"),
    "server error": ({"watch": (503, "")}, "try_later"),
    "server error of the player": ({"player": (503, "")}, "try_later"),
    "po token": ({"player": player(track(extra="&exp=xpe"))}, "try_later"),
    "consent twice": ({"watch": CONSENT}, "try_later"),
    "consent without a form": ({"watch": CONSENT.replace("name", "id")}, "try_later"),
    "empty captions": ({"en": ""}, "try_later"),
    "html for captions": ({"en": "<html>"}, "try_later"),
    "no key in the page": ({"watch": "<html></html>"}, "try_later"),
    "html for json": ({"player": "<html></html>"}, "try_later"),
    "another shape": ({"player": player({"languageCode": "en"})}, "try_later"),
    "a list": ({"player": []}, "try_later"),
    "connection": ({"watch": requests.ConnectionError("refused")}, "try_later"),
    "timeout": ({"en": requests.ReadTimeout("slow")}, "try_later"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failed_video_is_explained_and_the_next_one_is_read(name):
    answers, meaning = FAILURES[name]
    [batch] = read_all(YouTubeStub(bbbbbbbbbbb=answers), "bbbbbbbbbbb", GOOD)
    assert batch.documents["natural_key"].to_list() == [GOOD]
    [rejection] = batch.rejections
    assert (rejection.reason, rejection.is_fault) == (meaning, True)
    assert rejection.where == "https://www.youtube.com/watch?v=bbbbbbbbbbb"
    assert "\n" not in rejection.detail
    assert "key-of-the-page" not in rejection.detail


@pytest.mark.parametrize(
    "answers",
    [
        {"player": BOT},
        {"watch": (429, "")},
        {"watch": '<form class="g-recaptcha"></form>'},
        {"en": (429, "")},
    ],
)
def test_a_block_stops_politely_after_what_was_fetched_and_a_rerun_goes_on_there(answers):
    videos = [GOOD, "bbbbbbbbbbb", "ccccccccccc", "ddddddddddd"]
    stub = YouTubeStub(ccccccccccc=dict(answers))
    source = make_source(stub, ids=videos)
    batches = source.read(None)
    batch = next(batches)
    assert batch.documents["natural_key"].to_list() == videos[:2]
    assert [r.reason for r in batch.rejections] == ["blocked"]
    assert batch.cursor == "bbbbbbbbbbb"
    with pytest.raises(SourceInterruptedError) as caught:
        next(batches)
    assert caught.value.exit_code == 3
    assert "proxy" in caught.value.hint
    assert stub.requested.count("ddddddddddd") == 0

    free = YouTubeStub()
    [rest] = make_source(free, stored=tuple(videos[:2]), ids=videos).read(batch.cursor)
    assert rest.documents["natural_key"].to_list() == videos[2:]
    assert free.requested == videos[2:]
    assert rest.cursor is None


def test_without_a_network_three_videos_are_tried_and_none_is_passed_over():
    error = requests.ConnectionError("refused")
    stub = YouTubeStub(**{name * 11: error for name in "bcde"})
    batches = make_source(stub, ids=[GOOD, *(name * 11 for name in "bcde")]).read(None)
    batch = next(batches)
    assert batch.cursor == GOOD
    assert len(batch.rejections) == 3
    with pytest.raises(SourceInterruptedError, match="not reached"):
        next(batches)


def test_ten_videos_make_a_batch_and_stored_ones_are_not_fetched_again():
    videos = [f"{number:011}" for number in range(12)]
    stub = YouTubeStub()
    batches = read_all(stub, *videos, stored=(videos[0],))
    assert [batch.documents.height for batch in batches] == [10, 1]
    assert [batch.cursor for batch in batches] == [videos[10], None]
    assert videos[0] not in stub.requested
    assert pl.concat([batch.documents for batch in batches])["id"].n_unique() == 11
    [again, _] = read_all(YouTubeStub(), *videos, stored=(videos[0],), refresh=True)
    assert again.documents["natural_key"][0] == videos[0]


def test_every_exception_of_the_library_has_a_meaning():
    known = {name for name in dir(youtube_transcript_api) if _is_exception(getattr(youtube_transcript_api, name))}
    assert known <= set(MEANINGS)
    assert len(known) >= 15


def _is_exception(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, YouTubeTranscriptApiException)


@pytest.mark.parametrize(
    "text",
    [
        "dQw4w9WgXcQ",
        "https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=42s",
        "https://m.youtube.com/watch?app=desktop&v=dQw4w9WgXcQ",
        "youtu.be/dQw4w9WgXcQ?si=abc",
        "https://www.youtube.com/shorts/dQw4w9WgXcQ",
        "https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ",
        " https://music.youtube.com/watch?v=dQw4w9WgXcQ ",
    ],
)
def test_ids_and_addresses_are_reduced_to_the_id(text):
    assert parse_video_id(text) == "dQw4w9WgXcQ"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "dQw4w9WgXc",
        "https://evil.example/watch?v=dQw4w9WgXcQ",
        "https://youtube.com.evil.example/watch?v=dQw4w9WgXcQ",
        "https://www.youtube.com/@ann",
        "file:///etc/passwd",
        "https://www.youtube.com/watch?v=../../../etc",
    ],
)
def test_anything_else_has_no_id(text):
    assert parse_video_id(text) is None


def test_what_is_no_video_is_a_config_error_with_the_way_out(tmp_path):
    stub = YouTubeStub()
    with pytest.raises(ConfigError, match="nothing to read"):
        make_source(stub).read(None)
    with pytest.raises(ConfigError) as caught:
        make_source(stub, ids=["https://www.youtube.com/@ann/videos"]).read(None)
    assert "--channel" in caught.value.hint
    with pytest.raises(ConfigError, match="cannot read"):
        make_source(stub, root=tmp_path, ids=["@nowhere.txt"]).read(None)
    with pytest.raises(ValidationError):
        YoutubeSource.Options(pages=3)
    assert stub.requested == []


def test_a_file_of_ids_is_read_line_by_line_and_a_bad_line_is_named(tmp_path):
    (tmp_path / "ids.txt").write_text(f"# mine\n{GOOD}  # squat\n\nhttps://youtu.be/{GOOD}\nnot a video\nbbbbbbbbbbb\n")
    [batch] = make_source(YouTubeStub(), root=tmp_path, ids=["@ids.txt"]).read(None)
    assert batch.documents["natural_key"].to_list() == [GOOD, "bbbbbbbbbbb"]
    assert [(r.reason, r.where.rsplit(":", 1)[1]) for r in batch.rejections] == [("invalid_id", "5")]


def test_channels_and_playlists_are_reduced_to_an_address_of_our_own():
    channel = "UC" + "a" * 22
    assert parse_listing_url("@AlanThrall") == "https://www.youtube.com/%40AlanThrall/videos"
    assert (
        parse_listing_url(f"https://evil.example/channel/{channel}")
        == f"https://www.youtube.com/channel/{channel}/videos"
    )
    assert parse_listing_url("PL" + "b" * 16) == "https://www.youtube.com/playlist?list=PL" + "b" * 16
    assert parse_listing_url("ann") is None


def test_a_flat_listing_gives_its_videos_with_their_titles_through_tabs():
    tab = {"entries": [{"id": GOOD, "title": "Squat"}, {"id": "UCx", "title": "A channel"}, None]}
    videos = list(read_entries({"entries": [tab, {"id": "bbbbbbbbbbb"}]}))
    assert [(video.id, video.title, video.is_listed) for video in videos] == [
        (GOOD, "Squat", True),
        ("bbbbbbbbbbb", None, True),
    ]
    assert list(read_entries(None)) == []


def test_a_playlist_is_listed_by_yt_dlp_itself_from_the_page_of_the_site(monkeypatch):
    """Only the far end of the network is made up: the page that the site would send."""
    networking = pytest.importorskip("yt_dlp.networking", reason="yt-dlp is not installed")
    name, asked = "PL" + "b" * 16, []
    videos = [
        {"playlistVideoRenderer": {"videoId": video, "title": {"runs": [{"text": title}]}, "isPlayable": True}}
        for video, title in ((GOOD, "Squat"), ("bbbbbbbbbbb", "Row"))
    ]
    content = {"playlistVideoListRenderer": {"playlistId": name, "contents": videos}}
    for renderer in ("itemSectionRenderer", "sectionListRenderer"):
        content = {renderer: {"contents": [content]}}
    tab = {"tabRenderer": {"selected": True, "content": content}}
    page = {"contents": {"twoColumnBrowseResultsRenderer": {"tabs": [tab]}}}

    class RecordedRH(networking.RequestHandler):
        _SUPPORTED_URL_SCHEMES = ("https",)

        def _check_extensions(self, extensions):
            extensions.clear()

        def _send(self, request):
            asked.append(request.url)
            html = f"<html><script>var ytInitialData = {json.dumps(page)};</script></html>"
            return networking.Response(io.BytesIO(html.encode()), request.url, {"Content-Type": "text/html"})

    def only_recorded(*_):
        director = networking.RequestDirector(logger=None)
        director.add_handler(RecordedRH(logger=None))
        return director

    monkeypatch.setattr("yt_dlp.YoutubeDL.build_request_director", only_recorded)
    found = list_videos(name, 10, None)
    assert [(video.id, video.title) for video in found] == [(GOOD, "Squat"), ("bbbbbbbbbbb", "Row")]
    assert asked[0] == f"https://www.youtube.com/playlist?list={name}"
    assert [video.id for video in list_videos(name, 1, None)] == [GOOD]


def test_the_pack_may_name_channels_and_without_yt_dlp_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "yt_dlp", None)
    source = make_source(YouTubeStub(), **load_pack("fitness").youtube)
    with pytest.raises(ConfigError) as caught:
        source.read(None)
    assert "corpus-curator[youtube]" in caught.value.hint


def test_a_channel_on_the_command_line_stands_for_those_of_the_pack():
    assert YoutubeSource.Options(channels=["@ann"]).channel == ["@ann"]
    assert YoutubeSource.Options(channels=["@ann"], channel="@bo", playlists=["PL1"]).channel == ["@bo"]


def test_proxies_are_passed_on_and_their_passwords_come_from_the_environment():
    options = YoutubeSource.Options
    assert build_proxies(options(), {}) is None
    generic = build_proxies(options(), {"CURATOR_YOUTUBE_PROXY": "http://ann:secret@proxy.example:80"})
    assert isinstance(generic, GenericProxyConfig)
    assert generic.to_requests_dict()["https"] == "http://ann:secret@proxy.example:80"
    rotating = build_proxies(
        options(webshare=True, webshare_countries=["de"]),
        {"CURATOR_WEBSHARE_USERNAME": "ann", "CURATOR_WEBSHARE_PASSWORD": "secret"},
    )
    assert isinstance(rotating, WebshareProxyConfig)
    assert "ann-DE-rotate" in rotating.url
    with pytest.raises(ConfigError, match="CURATOR_WEBSHARE_PASSWORD"):
        build_proxies(options(webshare=True), {"CURATOR_WEBSHARE_USERNAME": "ann"})
    with pytest.raises(ConfigError, match="password"):
        build_proxies(options(proxy="http://ann:secret@proxy.example"), {})


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ("0:00 A\n1:05 B\n1:02:03 C", ((0.0, "A"), (65.0, "B"), (3723.0, "C"))),
        ("0:00 A\n1:05 B", ()),
        ("0:10 A\n1:05 B\n2:00 C", ()),
        ("0:00 A\n2:00 B\n1:00 C", ()),
        ("no times here", ()),
    ],
)
def test_chapters_are_three_times_that_rise_from_zero(description, expected):
    assert find_chapters(description) == expected


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"videoDetails": 3}', '{"videoDetails": {"title": 3}}'])
def test_a_strange_player_answer_has_no_details(text):
    assert read_details(text).title is None
