"""The gateway: clients of OpenAI and of Ollama get the coach, with the pack's prompts around what they ask."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from starlette.testclient import TestClient

from curator.deployments import point_current, roll_back
from curator.project import open_project
from curator.service.app import create_app
from curator.service.arms import open_arms
from curator.service.coaching import FitnessCheckIn, GolfCheckIn, read_answer, spell_check_in
from curator.service.context import open_service
from curator.service.errors import ServiceError
from curator.service.gateway.models import choose_model, name_version
from curator.truth.golf import HEADINGS

ADDRESS = "http://127.0.0.1:8600"
QUESTION = "I squatted 5x5 at 100 kg. What next?"
SCORES = {"setup": 0.31, "tempo and rhythm": 0.55, "weight shift": 0.49, "body rotation": 0.52, "impact": 0.47,
          "follow-through": 0.58, "balance": 0.38, "consistency": 0.45}  # fmt: skip
GOLF = {"kind": "golf", "area": "setup", "target": 0.7, "swing_type": "power", "scores": SCORES}
FITNESS = {"kind": "fitness", "exercise": "Squat", "load": 100, "target_sets": 3, "target_reps": 5,
           "sessions": [{"sets": [{"reps": 5, "rpe": 8}, {"reps": 5}]}]}  # fmt: skip
GOOD_GOLF = "\n".join(f"{heading}\nSay this and then that.\n1. Do one thing.\n2. Do another." for heading in HEADINGS)


class Upstream:
    """The far end of the network: a server with OpenAI's chat interface that says what it is told to."""

    def __init__(self):
        self.requests, self.answers, self.status = [], [], 200
        far_end = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                self.say(200, json.dumps({"data": [{"id": "tiny-model"}]}).encode())

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                far_end.requests.append((dict(self.headers), body))
                if far_end.status != 200:
                    self.say(far_end.status, b'{"error": {"message": "out of memory"}}')
                    return
                text = far_end.answers.pop(0) if far_end.answers else "Take 102.5 kg next time."
                if body["stream"]:
                    lines = [{"choices": [{"delta": {"content": piece}}]} for piece in text.split(" ")]
                    if text == "break off":
                        lines = [lines[0], {"error": {"message": "slot lost"}}]
                    data = "".join(f"data: {json.dumps(line)}\n\n" for line in lines) + "data: [DONE]\n\n"
                    self.say(200, data.encode(), "text/event-stream")
                    return
                usage = {"prompt_tokens": 7, "completion_tokens": 5}
                answer = {"id": "x", "choices": [{"message": {"role": "assistant", "content": text}}], "usage": usage}
                self.say(200, json.dumps(answer).encode())

            def say(self, status, data, kind="application/json"):
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def sent(self):
        return self.requests[-1][1]


def start(folder, upstream, pack, more=""):
    folder.mkdir()
    (folder / "curator.toml").write_text(f'pack = "{pack}"\n[serve]\nupstream = "{upstream.url}"\n{more}')
    service = open_service(open_project(folder))
    return service, service.tokens.add("app", ["feedback"])


@pytest.fixture(scope="module")
def far_end():
    upstream = Upstream()
    yield upstream
    upstream.server.shutdown()


@pytest.fixture(scope="module", params=["fitness"])
def running(request, tmp_path_factory, far_end):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CURATOR_UPSTREAM_KEY", "the-key")
        service, token = start(tmp_path_factory.mktemp("gateway") / request.param, far_end, request.param)
    with TestClient(create_app(service, has_pages=False), base_url=ADDRESS) as client:
        client.headers["Authorization"] = f"Bearer {token}"
        yield service, client, token


@pytest.fixture
def upstream(far_end):
    far_end.requests.clear()
    far_end.answers.clear()
    far_end.status = 200
    return far_end


@pytest.fixture
def app(running):
    return running[1]


def chat(app, **changes):
    body = {"model": "fitness-coach", "messages": [{"role": "user", "content": QUESTION}]} | changes
    return app.post("/v1/chat/completions", json=body)


def test_a_question_is_sent_with_the_pack_s_prompt_and_the_role_s_temperature(app, upstream, running):
    answer = chat(app)
    assert answer.json()["choices"][0]["message"]["content"] == "Take 102.5 kg next time."
    assert answer.json()["model"] == "fitness-coach"
    coach = running[0].pack.roles["coach"]
    assert upstream.sent["messages"][0]["content"].startswith(coach.system_prompt["en"])
    assert upstream.sent["messages"][-1] == {"role": "user", "content": QUESTION}
    assert (upstream.sent["temperature"], upstream.sent["model"]) == (coach.temperature, "tiny-model")
    assert upstream.requests[-1][0]["Authorization"] == "Bearer the-key"
    assert set(answer.json()["curator"]) == {"role", "citations", "recommendation_id", "arm", "model"}


@pytest.mark.parametrize(("model", "role"), [("fitness-planner", "planner"), ("insight", "insight"),
                                             ("fitness-insight:latest", "insight"), ("llama3.2", "coach"), ("", "coach")])  # fmt: skip
def test_the_model_s_name_chooses_the_role_and_a_foreign_one_is_the_coach(app, upstream, running, model, role):
    assert chat(app, model=model).json()["curator"]["role"] == role
    assert upstream.sent["messages"][0]["content"].startswith(running[0].pack.roles[role].system_prompt["en"])


def test_the_client_s_system_prompt_replaces_the_pack_s_but_not_its_safety(app, upstream, running):
    messages = [{"role": "system", "content": "Talk like a pirate."}, {"role": "user", "content": QUESTION}]
    chat(app, messages=messages)
    system = upstream.sent["messages"][0]["content"]
    assert system.startswith("Talk like a pirate.")
    assert running[0].pack.safety_sentence["en"] in system


def test_history_options_and_profile_reach_the_model(app, upstream):
    messages = [{"role": "user", "content": "Hello."}, {"role": "assistant", "content": "Hi."},
                {"role": "user", "content": [{"type": "text", "text": QUESTION}]}]  # fmt: skip
    chat(app, messages=messages, temperature=0.1, max_tokens=50, profile={"training_age_years": 3})
    assert [turn["content"] for turn in upstream.sent["messages"]][-3:] == ["Hello.", "Hi.", QUESTION]
    assert (upstream.sent["temperature"], upstream.sent["max_tokens"]) == (0.1, 50)
    assert "Training age: 3 years" in upstream.sent["messages"][0]["content"]


def test_openai_s_stream_is_events_that_end_with_done(app, upstream):
    lines = [line for line in chat(app, stream=True).text.split("\n\n") if line]
    assert lines[-1] == "data: [DONE]"
    pieces = [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]
    assert [piece["choices"][0]["delta"]["content"] for piece in pieces] == ["Take", "102.5", "kg", "next", "time."]
    assert "curator" in pieces[0]
    assert "curator" not in pieces[1]
    assert {piece["model"] for piece in pieces} == {"fitness-coach"}


def test_ollama_s_chat_answers_whole_or_in_lines(app, upstream):
    body = {"model": "m", "messages": [{"role": "user", "content": QUESTION}], "options": {"num_predict": 9}}
    whole = app.post("/api/chat", json={**body, "stream": False}).json()
    assert whole["message"] == {"role": "assistant", "content": "Take 102.5 kg next time."}
    assert (whole["done"], whole["model"], whole["eval_count"], upstream.sent["max_tokens"]) == (True, "m", 5, 9)
    lines = [json.loads(line) for line in app.post("/api/chat", json=body).text.splitlines()]
    assert "".join(line["message"]["content"] for line in lines) == "Take102.5kgnexttime."
    assert [line["done"] for line in lines] == [False] * 5 + [True]


def test_ollama_s_generate_answers_a_prompt(app, upstream):
    whole = app.post("/api/generate", json={"model": "m", "prompt": QUESTION, "stream": False}).json()
    assert whole["response"] == "Take 102.5 kg next time."
    lines = [json.loads(line) for line in app.post("/api/generate", json={"prompt": QUESTION}).text.splitlines()]
    assert lines[0]["response"] == "Take"
    assert lines[-1]["done"]


def test_a_frontend_of_ollama_needs_only_another_base_url(app, running):
    app_without = {"Authorization": ""}
    tags = app.get(f"/t/{running[2]}/api/tags", headers=app_without).json()
    assert [model["name"] for model in tags["models"]] == ["fitness-insight", "fitness-planner", "fitness-coach"]
    body = {"model": tags["models"][2]["name"], "messages": [{"role": "user", "content": QUESTION}], "stream": False}
    answer = app.post(f"/t/{running[2]}/api/chat", json=body, headers=app_without)
    assert answer.json()["message"]["content"] == "Take 102.5 kg next time."


@pytest.mark.parametrize(("status", "expected"), [(500, 502), (404, 502), (429, 429)])
def test_what_the_model_s_server_refuses_is_told_in_the_client_s_shape(app, upstream, status, expected):
    upstream.status = status
    answer = chat(app)
    assert (answer.status_code, "out of memory" in answer.json()["error"]["message"]) == (expected, True)
    assert chat(app, stream=True).status_code == expected
    ollama = app.post("/api/chat", json={"messages": [{"role": "user", "content": "Hi"}]})
    assert (ollama.status_code, "out of memory" in ollama.json()["error"]) == (expected, True)


def test_a_model_that_breaks_off_ends_the_stream_with_an_error(app, upstream):
    upstream.answers = ["break off"]
    lines = chat(app, stream=True).text.strip().split("\n\n")
    assert "slot lost" in json.loads(lines[-2].removeprefix("data: "))["error"]["message"]
    upstream.answers = ["break off"]
    body = {"messages": [{"role": "user", "content": "Hi"}]}
    assert "slot lost" in json.loads(app.post("/api/chat", json=body).text.splitlines()[-1])["error"]


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [{"role": "assistant", "content": "I begin."}],
        [{"role": "user", "content": "  "}],
        [{"role": "tool", "content": "x"}, {"role": "user", "content": "Hi"}],
        [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}],
    ],
)
def test_what_is_no_question_is_refused_and_not_sent(app, upstream, messages):
    assert chat(app, messages=messages).status_code == 422
    assert upstream.requests == []


def test_without_a_model_it_says_how_to_get_one(bare):
    service = open_service(open_project(bare))
    token = service.tokens.add("app", ["feedback"])
    with TestClient(create_app(service, has_pages=False), base_url=ADDRESS) as client:
        client.headers["Authorization"] = f"Bearer {token}"
        answer = chat(client)
    assert answer.status_code == 503
    assert "curator deploy" in answer.json()["error"]["hint"]


def test_a_server_that_is_not_there_is_a_bad_gateway(tmp_path):
    (tmp_path / "curator.toml").write_text('[serve]\nupstream = "http://127.0.0.1:9/v1"\nmodel = "m"\n')
    service = open_service(open_project(tmp_path))
    token = service.tokens.add("app", ["feedback"])
    with TestClient(create_app(service, has_pages=False), base_url=ADDRESS) as client:
        client.headers["Authorization"] = f"Bearer {token}"
        assert chat(client).status_code == 502


def keep_deployment(root, deployment_id, model, created_at="2026-01-01T00:00:00", **more):
    folder = root / "deployments" / deployment_id
    folder.mkdir(parents=True)
    record = {
        "id": deployment_id, "created_at": created_at, "model": model, "architecture": "llama", "quantisation": "f16",
        "quantiser": "none", "gguf_sha256": "0", "size_bytes": 1, "system_prompt": "s", "parameters": {}, "parity": [],
        **more,
    }  # fmt: skip
    (folder / "deployment.json").write_text(json.dumps(record))


def test_the_current_deployment_answers_and_that_of_a_role_goes_before_it(tmp_path):
    (tmp_path / "curator.toml").write_text('pack = "fitness"\n')
    for deployment, model in (("aa" * 16, "models/old"), ("bb" * 16, "models/new"), ("cc" * 16, "models/plans")):
        keep_deployment(tmp_path, deployment, model)
    project = open_project(tmp_path)
    for deployment, role in (("aa" * 16, None), ("bb" * 16, None), ("cc" * 16, "planner")):
        point_current(project, deployment, role)
    coach = choose_model(project, "coach")
    assert coach.file == tmp_path / "deployments" / ("bb" * 16) / "model.gguf"
    assert coach.version == f"new@{'b' * 12}"
    assert choose_model(project, "planner").version == f"plans@{'c' * 12}"
    assert choose_model(project, "coach", "aaaa").version == f"old@{'a' * 12}"
    assert choose_model(project, "coach", "plans").version == f"plans@{'c' * 12}"
    roll_back(project)
    assert choose_model(project, "coach").version == f"old@{'a' * 12}"
    with pytest.raises(ServiceError, match="not deployed here"):
        choose_model(project, "coach", "nothing-of-this-name")


def test_a_model_of_the_upstream_is_named_with_the_deployment_behind_it(tmp_path):
    (tmp_path / "curator.toml").write_text('pack = "fitness"\n[serve]\nupstream = "http://127.0.0.1:9"\n')
    keep_deployment(tmp_path, "aa" * 16, "models/old", ollama_model="fitness-coach")
    project = open_project(tmp_path)
    point_current(project, "aa" * 16)
    assert (choose_model(project, "coach").file, choose_model(project, "coach", "gemma3").name) == (None, "gemma3")
    assert choose_model(project, "coach", "aaaa").version == f"old@{'a' * 12}"
    assert name_version(project, "coach", "fitness-coach") == f"fitness-coach@{'a' * 12}"
    assert name_version(project, "coach", "gemma3") == "gemma3"


def test_a_broken_record_of_a_deployment_is_none(tmp_path):
    (tmp_path / "curator.toml").write_text('pack = "fitness"\n')
    (tmp_path / "deployments" / "dd").mkdir(parents=True)
    (tmp_path / "deployments" / "dd" / "deployment.json").write_text("{")
    point_current(open_project(tmp_path), "dd")
    with pytest.raises(ServiceError, match="no model is deployed"):
        choose_model(open_project(tmp_path), "coach")


ARMS = """
[experiment]
name = "spring"
[[experiment.arms]]
name = "plain"
[[experiment.arms]]
name = "short"
weight = 2.0
style = "Answer in one line."
model = "other-model"
temperature = 0.15
[[experiment.arms]]
name = "pirate"
system_prompt = "You are a pirate who lifts."
"""


@pytest.fixture(scope="module")
def tested(tmp_path_factory, far_end):
    """A service with three arms, and a client of it."""
    service, token = start(tmp_path_factory.mktemp("arms") / "fitness", far_end, "fitness", ARMS)
    with TestClient(create_app(service, has_pages=False), base_url=ADDRESS) as client:
        client.headers["Authorization"] = f"Bearer {token}"
        yield service, client


def find_user(service, arm):
    return next(name for name in (f"user-{n}" for n in range(200)) if service.arms.find(name).name == arm)


def read_shown(service):
    return [json.loads(event.body) for event in service.journal.read_events() if "shown-" in event.event_id]


def test_every_endpoint_deals_a_user_into_the_same_arm_and_records_it(tested, upstream):
    service, client = tested
    user = find_user(service, "short")
    messages = [{"role": "user", "content": QUESTION}]
    before = len(read_shown(service))
    told = [
        client.post("/v1/chat/completions", json={"messages": messages, "user": user}).json()["curator"],
        client.post("/api/chat", json={"messages": messages, "user": user.upper(), "stream": False}).json()["curator"],
        client.post("/api/generate", json={"prompt": QUESTION, "user": user, "stream": False}).json()["curator"],
        client.post("/api/v1/coach", json={**FITNESS, "user": user}).json(),
    ]
    assert [one["arm"] for one in told] == ["short"] * 4
    assert {body["model"] for _, body in upstream.requests} == {"other-model"}
    assert {body["temperature"] for _, body in upstream.requests} == {0.15}
    shown = read_shown(service)[before:]
    assert [event["recommendation_id"] for event in shown] == [one["recommendation_id"] for one in told]
    assert {(event["arm"], event["model"], event["role"]) for event in shown} == {("short", "other-model", "coach")}
    assert [event["user"].lower() for event in shown] == [user] * 4
    assert shown[3]["inputs"]["load"] == 100.0
    assert shown[0]["answer"] == "Take 102.5 kg next time."


def test_users_are_dealt_by_weight_and_never_move(tested):
    service, _ = tested
    dealt = [service.arms.find(f"user-{n}").name for n in range(4000)]
    shares = {name: dealt.count(name) / len(dealt) for name in service.arms.names}
    assert shares == pytest.approx({"plain": 0.25, "short": 0.5, "pirate": 0.25}, abs=0.03)
    again = open_arms(service.project.root, service.project.config.experiment)
    assert [again.find(f"user-{n}").name for n in range(4000)] == dealt
    assert (service.project.root / ".curator" / "arms.salt").stat().st_mode & 0o777 == 0o600


def test_an_arm_changes_style_or_prompt_and_never_the_safety_sentence(tested, upstream):
    service, client = tested
    systems = {}
    for arm in service.arms.names:
        body = {"messages": [{"role": "user", "content": QUESTION}], "user": find_user(service, arm)}
        client.post("/v1/chat/completions", json=body)
        systems[arm] = upstream.sent["messages"][0]["content"].split("\n\n")[0]
    safety = service.pack.safety_sentence["en"]
    assert all(system.endswith(safety) for system in systems.values())
    assert systems["short"] == systems["plain"].removesuffix(safety) + f"Answer in one line. {safety}"
    assert systems["pirate"] == f"You are a pirate who lifts. {safety}"


def test_a_client_s_prompt_and_temperature_give_way_to_those_of_the_arm_alone(tested, upstream):
    service, client = tested
    messages = [{"role": "system", "content": "Talk like a nurse."}, {"role": "user", "content": QUESTION}]
    sent = {}
    for arm in service.arms.names:
        body = {"messages": messages, "user": find_user(service, arm), "temperature": 0.9}
        client.post("/v1/chat/completions", json=body)
        sent[arm] = (upstream.sent["messages"][0]["content"].split(".")[0], upstream.sent["temperature"])
    assert sent == {"plain": ("Talk like a nurse", 0.9), "short": ("Talk like a nurse", 0.15),
                    "pirate": ("You are a pirate who lifts", 0.9)}  # fmt: skip


def test_a_streamed_answer_is_recorded_when_it_is_whole(tested, upstream):
    service, client = tested
    body = {"messages": [{"role": "user", "content": QUESTION}], "user": "ada", "stream": True}
    answer = client.post("/v1/chat/completions", json=body)
    text = answer.text
    told = json.loads(text.split("\n\n")[0].removeprefix("data: "))["curator"]
    last = read_shown(service)[-1]
    assert answer.headers["x-recommendation-id"] == told["recommendation_id"]
    assert (last["recommendation_id"], last["answer"]) == (told["recommendation_id"], "Take102.5kgnexttime.")
    lines = client.post("/api/chat", json=body).text.splitlines()
    assert json.loads(lines[-1])["curator"]["recommendation_id"] == read_shown(service)[-1]["recommendation_id"]
    count = len(read_shown(service))
    upstream.answers = ["break off"]
    client.post("/v1/chat/completions", json=body)
    assert len(read_shown(service)) == count


def test_what_is_recorded_is_the_conversation_and_not_the_examples_shown_to_the_model(tested, upstream):
    service, client = tested
    messages = [{"role": "user", "content": "Hello."}, {"role": "assistant", "content": "Hi."},
                {"role": "user", "content": QUESTION}]  # fmt: skip
    client.post("/v1/chat/completions", json={"messages": messages, "profile": {"training_age_years": 3}})
    event = read_shown(service)[-1]
    assert event["prompt"][1:] == messages
    assert event["prompt"][0] == upstream.sent["messages"][0]
    assert (event["profile"]["training_age_years"], event["user"]) == (3.0, "app")


def test_answers_are_not_recorded_where_the_settings_say_so(tmp_path, upstream):
    service, token = start(tmp_path / "fitness", upstream, "fitness", "record_answers = false\n")
    with TestClient(create_app(service, has_pages=False), base_url=ADDRESS) as client:
        client.headers["Authorization"] = f"Bearer {token}"
        told = chat(client).json()["curator"]
        assert (told["recommendation_id"], told["arm"]) == (None, None)
        assert service.journal.read_events() == []


def test_a_training_log_gets_a_checked_answer(app, upstream):
    upstream.answers = ["Take 102.5 kg next time.\n1. Warm up.\n2. Do 3x5 at 102.5 kg."]
    reply = app.post("/api/v1/coach", json=FITNESS).json()
    assert reply["answer"]["next_load"] == 102.5
    assert reply["answer"]["steps"] == ["Warm up.", "Do 3x5 at 102.5 kg."]
    assert (reply["tries"], reply["prompt"][-1]["content"].split("\n")[0]) == (1, "Squat log, 100 kg, goal 3x5:")


def test_an_answer_with_an_absurd_load_is_asked_for_again_and_then_refused(app, upstream):
    upstream.answers = ["Go straight to 300 kg now.", "Take 102.5 kg next time."]
    reply = app.post("/api/v1/coach", json=FITNESS).json()
    assert (reply["tries"], reply["answer"]["next_load"]) == (2, 102.5)
    assert "300 kg" in upstream.sent["messages"][-1]["content"]
    upstream.answers = ["Go to 300 kg now.", "Go to 300 kg now."]
    refused = app.post("/api/v1/coach", json=FITNESS)
    assert (refused.status_code, "wrong form" in refused.json()["error"]["message"]) == (502, True)


def test_golf_is_answered_in_exactly_three_parts(tmp_path, upstream):
    service, token = start(tmp_path / "golf", upstream, "golf")
    upstream.answers = ["Just practise more.", GOOD_GOLF]
    with TestClient(create_app(service, has_pages=False), base_url=ADDRESS) as client:
        client.headers["Authorization"] = f"Bearer {token}"
        reply = client.post("/api/v1/coach", json=GOLF).json()
        assert client.post("/api/v1/coach", json=FITNESS).status_code == 422
    assert reply["tries"] == 2
    assert reply["answer"]["expected"].startswith("Say this")
    assert [line for line in reply["answer"]["text"].split("\n") if line in HEADINGS] == list(HEADINGS)
    assert reply["answer"]["steps"] == ["Do one thing.", "Do another."]


@pytest.mark.parametrize(
    "text",
    [
        "",
        GOOD_GOLF.replace(HEADINGS[1], "SOMETHING ELSE:"),
        f"{GOOD_GOLF}\n{HEADINGS[0]}\nOnce more, with feeling.",
        "Hello golfer!\n" + GOOD_GOLF,
        "\n".join(HEADINGS),
        "\n".join(reversed(GOOD_GOLF.split("\n"))),
    ],
)
def test_an_answer_without_exactly_the_three_parts_is_none(text):
    answer, fault = read_answer(GolfCheckIn.model_validate(GOLF), text)
    assert answer is None
    assert fault


def test_headings_in_bold_are_the_headings():
    answer, _ = read_answer(GolfCheckIn.model_validate(GOLF), GOOD_GOLF.replace("WHAT", "**WHAT").replace("):", "):**"))
    assert answer.expected.startswith("Say this")


@pytest.mark.parametrize(
    "change", [{"scores": {"setup": 0.5}}, {"target": 0.1}, {"area": "putting"}, {"scores": SCORES | {"impact": 1.4}}]
)
def test_scores_that_cannot_be_are_refused(change):
    with pytest.raises(ValueError, match=r"score|target|area|impact"):
        GolfCheckIn.model_validate(GOLF | change)


def test_the_question_of_a_golfer_has_the_corpus_s_form():
    text = spell_check_in(GolfCheckIn.model_validate(GOLF))
    assert "Area: Setup\nCurrent score: 0.31\nTarget score: 0.70\nSwing type: power\nScores: setup 0.31, tempo" in text


def test_the_load_of_the_log_is_the_advice_when_no_other_is_named():
    check_in = FitnessCheckIn.model_validate(FITNESS)
    assert read_answer(check_in, "Repeat 100 kg once more.")[0].next_load == 100
    assert read_answer(check_in, "Sleep and eat more first.")[0].next_load is None
    assert read_answer(check_in, "From 100 kg go to 97,5 kg for a week.")[0].next_load == 97.5
