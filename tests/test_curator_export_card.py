"""The dataset card: what sources say stays where it belongs."""

from curator.export.card import write_card
from sources.packs.loader import load_pack


def test_an_attribution_of_several_lines_begins_no_heading_or_list_of_the_card():
    rights = {
        "licence": "CC-BY-4.0",
        "licences": {"CC-BY-4.0\n# Free": 1},
        "attributions": ["Ann\n## Rights\n- all yours: 5 rows"],
        "unknown_permission": 0,
    }
    files = [{"path": "train.jsonl", "split": "train", "rows": 1, "bytes": 1}]
    manifest = {"release": "r", "format": "messages", "curator": "0", "files": files, "counts": {}, "rights": rights}
    lines = write_card(manifest, load_pack("fitness"), ["en"], []).splitlines()
    assert lines.count("## Rights") == 1
    assert "- CC-BY-4.0 # Free: 1 rows" in lines
    assert lines[-1] == "- Ann ## Rights - all yours: 5 rows"
