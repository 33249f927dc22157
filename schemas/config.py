"""The settings of a project: one frozen model for `curator.toml`, every field documented here and nowhere else."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class IngestConfig(BaseModel):
    """One `[[ingest]]` table: a connector and its options, run by `curator run`."""

    model_config = ConfigDict(frozen=True, extra="allow")

    source: str = Field(description="Name of a connector: markdown, transcripts, reddit, dataset, synthetic, ...")

    @property
    def options(self) -> dict[str, Any]:
        """Everything but `source`; the connector's own options model validates it."""
        return dict(self.model_extra or {})


class ScreenConfig(_Section):
    """Row-wise rules; each has an id, a threshold here and a count in the report."""

    min_answer_tokens: int = Field(8, ge=1, description="Shorter answers are `answer_too_short` (tokens: bytes / 4).")
    max_tokens: int = Field(4096, ge=16, description="Longer conversations are `too_long`.")
    min_prompt_words: int = Field(2, ge=1, description="Fewer words in the first user turn are `prompt_too_short`.")
    languages: list[str] | None = Field(None, description="Allowed languages; the pack's if absent.")
    min_language_score: float = Field(0.75, ge=0, le=1, description="Confidence from which the detector is believed.")
    min_language_letters: int = Field(
        40, ge=0, description="With fewer letters of text the detector is not asked and the default is taken."
    )
    pii: Literal["redact", "reject", "off"] = Field("redact", description="What happens to e-mails, phones, keys ...")
    min_mean_word_length: float = Field(2.5, description="Gopher's rule (3-10), widened for short answers.")
    max_mean_word_length: float = Field(10.0, description="Gopher's rule (3-10): gibberish and URLs lie above.")
    min_stop_words: int = Field(1, ge=0, description="Gopher asks for 2 in 50 words; short answers have fewer.")
    max_duplicate_line_ratio: float = Field(0.30, ge=0, le=1, description="Gopher: share of repeated lines.")
    max_symbol_ratio: float = Field(0.10, ge=0, le=1, description="Gopher: `#` and `...` to words.")
    min_alpha_ratio: float = Field(0.50, ge=0, le=1, description="Words with a letter; Gopher's .80 hits logs (5x5).")
    max_link_ratio: float = Field(0.30, ge=0, le=1, description="Share of the answer's words that are links.")
    max_uppercase_ratio: float = Field(0.60, ge=0, le=1, description="Shouting: share of letters in capitals.")
    max_answer_repeats: int = Field(
        20, ge=1, description="Answer collapse: more different questions than this get one answer; the rest is out."
    )


class CategoriseConfig(_Section):
    """How a row gets its category; below the confidence it stays uncategorised."""

    min_lexicon_score: float = Field(2.0, ge=0, description="Weighted votes that the winner must have.")
    min_lexicon_margin: float = Field(0.30, ge=0, le=1, description="(winner - runner-up) / winner.")
    min_confidence: float = Field(0.60, ge=0, le=1, description="Calibrated probability the classifier must reach.")
    min_training_rows: int = Field(200, ge=10, description="Fewer labelled rows: no classifier is trained.")
    max_training_rows: int = Field(20_000, ge=100, description="Labelled rows the classifier is trained on at most.")


class DedupConfig(_Section):
    """Which near-duplicates are removed."""

    threshold: float = Field(0.80, ge=0.7, le=1, description="True Jaccard similarity of word shingles.")
    ngram: int = Field(5, ge=1, le=13, description="Words per shingle.")
    mask_numbers: bool = Field(False, description="Treat all numbers as equal (numbers are facts: off by default).")
    subject: Literal["both", "prompt", "answer"] = Field(
        "both", description="What is compared: prompt and answer (never the system prompt), or one of the two."
    )
    masked: list[str] = Field(
        default=[], description="Passages left out of the comparison wherever they occur: template texts of a source."
    )
    boilerplate_rows: Annotated[int, Field(ge=2)] | None = Field(
        None, description="Word runs that more texts than this share are left out of the comparison; unset: none are."
    )
    source_rank: list[str] = Field(
        ["markdown", "documents", "dataset", "transcripts", "youtube", "reddit", "feedback", "synthetic"],
        description="Whose copy is kept, best first.",
    )
    max_source_loss: float = Field(0.5, gt=0, le=1, description="Share of one source lost that raises an alarm.")


class SplitConfig(_Section):
    """How new units are dealt out."""

    train: float = Field(0.85, gt=0, lt=1)
    validation: float = Field(0.10, gt=0, lt=1)
    test: float = Field(0.05, gt=0, lt=1)
    threshold: float = Field(0.80, ge=0.5, le=1, description="Jaccard similarity that ties two examples to a unit.")
    max_unit_share: float = Field(0.02, gt=0, le=1, description="A larger share of its category goes to train.")

    @model_validator(mode="after")
    def _check_shares(self) -> "SplitConfig":
        total = self.train + self.validation + self.test
        if abs(total - 1) > 1e-6:
            raise ValueError(f"train, validation and test add up to {total:.4f}, expected 1")
        return self


class BalanceConfig(_Section):
    """What a release is made of."""

    size: Annotated[int, Field(ge=1)] | Literal["max"] = Field(
        "max", description="Rows wanted, or the most whose shares are in tolerance."
    )
    tolerance: float = Field(0.01, ge=0, le=0.5, description="Deviation of a share from its target (1 row at least).")
    max_synthetic_share: float = Field(0.40, ge=0, le=1, description="Generated rows per category.")
    max_source_share: float = Field(1.0, gt=0, le=1, description="Rows of one source in the release.")
    max_licence_share: float = Field(1.0, gt=0, le=1, description="Rows of one licence in the release.")
    max_per_author: int = Field(200, ge=1, description="Rows of one author.")
    max_per_thread: int = Field(10, ge=1, description="Rows of one thread or video.")
    against: list[str] = Field(default=[], description="Evaluation files (JSONL) besides the pack's own cases.")
    include_flagged: bool = Field(False, description="Take rows with a safety flag before a person has read them.")
    target: dict[str, Annotated[float, Field(gt=0, le=1)]] = Field(
        default={}, description="Shares by category; the pack's if empty."
    )


class ExportConfig(_Section):
    """How a release is written out."""

    format: Literal["sharegpt", "alpaca", "instruction", "messages", "preference"] = "messages"
    array: bool = Field(False, description="One JSON array a file instead of JSONL.")
    policy: Literal["private", "publishable"] = Field(
        "private", description="publishable leaves out rows whose permission is unknown."
    )
    system_prompt: Literal["pack", "none"] = Field("pack", description="Attach the pack's prompt where a row has none.")


class PromptConfig(_Section):
    """What is sent to a model beside the question; the same for `prompt show`, `chat` and the service."""

    max_tokens: int = Field(
        3000, ge=200, description="Tokens of the whole prompt; what matters least is left out first."
    )
    passages: int = Field(3, ge=0, le=10, description="Passages of knowledge pages and records that may be cited.")
    shots: int = Field(
        2, ge=0, le=8, description="Examples of the latest release's train split, the most like the question."
    )
    history_turns: int = Field(12, ge=0, le=100, description="Earlier turns that are sent again, the newest.")


class ArmConfig(_Section):
    """One arm of an experiment: a style, a prompt or a model."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", description="Stands in events, reports and on the page.")
    weight: float = Field(1.0, gt=0, description="Share of users, relative to the other arms.")
    style: str | None = Field(
        None, max_length=2_000, description="Added to the system prompt: how the coach speaks, `Answer in three lines.`"
    )
    system_prompt: str | None = Field(None, description="Replaces the pack's; its safety sentence is kept.")
    model: str | None = Field(
        None, description="A deployment (its id or its model's folder), or a model of the upstream; the current one."
    )
    temperature: float | None = Field(None, ge=0, le=2, description="That of the role if absent.")


class ExperimentConfig(_Section):
    """An A/B test; without arms there is none."""

    name: str = Field("first", description="Another name deals all users anew.")
    control: str | None = Field(None, description="The arm that others are compared with; the first if absent.")
    arms: list[ArmConfig] = Field(default=[], description="What is compared.")
    min_sample: int = Field(100, ge=20, description="Users with an outcome an arm needs before anything is decided.")
    alpha: float = Field(0.05, gt=0, lt=0.5, description="Probability of ever naming a false winner, over all looks.")

    @model_validator(mode="after")
    def _check_arms(self) -> "ExperimentConfig":
        names = [arm.name for arm in self.arms]
        if len(set(names)) != len(names):
            raise ValueError("two arms have the same name")
        if self.control is not None and self.control not in names:
            raise ValueError(f"control {self.control!r} is none of the arms {names}")
        return self


class ServeConfig(_Section):
    """The service: what stands behind its chat, and what clients may do."""

    upstream: str | None = Field(
        None, description="Base URL of an OpenAI-compatible server, such as http://127.0.0.1:11434/v1 (Ollama)."
    )
    model: str | None = Field(None, description="Name of the model there; the first it lists if absent.")
    gguf: str | None = Field(None, description="GGUF file to serve on this machine instead of an upstream.")
    record_answers: bool = Field(
        True, description="Write each answer into the journal as a recommendation, with its arm and model."
    )
    upstream_timeout_s: float = Field(300.0, gt=0, description="Seconds to wait for the next piece of an answer.")
    allowed_hosts: list[str] = Field(default=[], description="Further host names that are answered.")
    events_per_s: float = Field(10.0, gt=0, description="Feedback events a client may send each second, on average.")
    events_burst: int = Field(200, ge=1, description="Events a client may send at once.")
    lease_s: float = Field(900.0, ge=10, description="Seconds for which a row of the review queue is one reviewer's.")


class FeedbackConfig(_Section):
    """What keeps feedback from poisoning a release; withheld rows stay in the warehouse with their reason."""

    max_test_similarity: float = Field(
        0.5,
        gt=0,
        le=1,
        description="Share of the shorter prompt's word 3-grams that a prompt may share with a test row's.",
    )
    max_per_user: int = Field(20, ge=1, description="Rows of one user in a release.")
    burst_events: int = Field(30, ge=2, description="More events of one sender within the window are a burst.")
    burst_seconds: int = Field(60, ge=1, description="Length of the window.")


class CycleConfig(_Section):
    """What `curator cycle` trains, and how much better a model must be before it is deployed."""

    recipe: str | None = Field(None, description="A bundled recipe or the path of one; needed for a cycle.")
    base: str | None = Field(None, description="Folder or hub id of the base; the recipe's if absent.")
    role: Literal["insight", "planner", "coach"] | None = Field(None, description="Only rows of this coach role.")
    settings: list[str] = Field(default=[], description="Further settings of the recipe, `train.lr=1e-4`.")
    quantisation: Literal["q4_k_m", "q8_0", "f16"] = Field(
        "q4_k_m", description="How the deployed weights are rounded."
    )
    ollama: str | None = Field(None, description="URL of an Ollama server in which the model is created.")
    min_gain: float = Field(0.02, ge=0, le=1, description="Share of the cases by which a candidate must be better.")
    min_perplexity_drop: float = Field(
        0.02, ge=0, lt=1, description="With as many cases passed: how much lower its test perplexity must be, relative."
    )
    max_perplexity_rise: float = Field(0.05, ge=0, description="With more cases passed: how much higher it may be.")
    perplexity_rows: int = Field(200, ge=1, description="Rows of the test split that are scored.")
    max_tokens: int = Field(400, ge=8, description="Length at which an answer to a case is cut.")
    max_cases: int | None = Field(None, ge=1, description="Only the first so many cases; all if absent.")


class ProjectConfig(_Section):
    """Everything `curator.toml` may say.

    Precedence: flag > environment (`CURATOR_BALANCE__SIZE=500`) > curator.toml > pack > default.
    """

    pack: str = Field("fitness", description="A bundled pack or the path of your own.")
    seed: int = Field(3407, ge=0, lt=2**63, description="Seed of everything random.")
    ingest: list[IngestConfig] = Field(default=[], description="What `curator run` ingests; the pack's pages if empty.")
    screen: ScreenConfig = ScreenConfig()
    categorise: CategoriseConfig = CategoriseConfig()
    dedup: DedupConfig = DedupConfig()
    split: SplitConfig = SplitConfig()
    balance: BalanceConfig = BalanceConfig()
    export: ExportConfig = ExportConfig()
    prompt: PromptConfig = PromptConfig()
    experiment: ExperimentConfig = ExperimentConfig()
    feedback: FeedbackConfig = FeedbackConfig()
    cycle: CycleConfig = CycleConfig()
    serve: ServeConfig = ServeConfig()
