"""The pointer to the current deployment: one for the project, one for each coach role that has its own."""

import pytest

from curator.deployments import point_current, read_current, roll_back
from curator.project import open_project
from schemas.errors import ConfigError

OLD, NEW, PLANS = ("aa" * 16, "bb" * 16, "cc" * 16)


@pytest.fixture
def project(tmp_path):
    (tmp_path / "curator.toml").write_text('pack = "fitness"\n')
    for name in (OLD, NEW, PLANS):
        (tmp_path / "deployments" / name).mkdir(parents=True)
        (tmp_path / "deployments" / name / "deployment.json").write_text("{}")
    return open_project(tmp_path)


def test_a_role_without_a_deployment_of_its_own_has_that_of_the_project(project):
    point_current(project, OLD)
    point_current(project, PLANS, "planner")
    point_current(project, NEW)
    assert read_current(project) == {"id": NEW, "previous": OLD}
    assert read_current(project, "coach") == {"id": NEW, "previous": OLD}
    assert read_current(project, "planner") == {"id": PLANS, "previous": OLD}


def test_the_first_deployment_is_that_of_all_roles_whoever_it_was_made_for(project):
    point_current(project, PLANS, "planner")
    assert read_current(project) == read_current(project, "planner") == {"id": PLANS, "previous": None}
    point_current(project, NEW, "coach")
    assert read_current(project) == {"id": PLANS, "previous": None}
    assert read_current(project, "coach") == {"id": NEW, "previous": PLANS}


def test_a_role_goes_back_alone(project):
    point_current(project, OLD)
    point_current(project, NEW)
    point_current(project, PLANS, "planner")
    assert roll_back(project, "planner").name == NEW
    assert (read_current(project)["id"], read_current(project, "planner")["id"]) == (NEW, NEW)
    assert roll_back(project).name == OLD
    assert read_current(project, "planner")["id"] == NEW


def test_the_same_deployment_again_changes_nothing(project):
    point_current(project, OLD)
    point_current(project, NEW)
    before = (project.root / "deployments" / "current.json").read_bytes()
    point_current(project, NEW)
    assert (project.root / "deployments" / "current.json").read_bytes() == before


def test_a_damaged_pointer_is_named_and_written_anew(project):
    path = project.root / "deployments" / "current.json"
    path.write_text("{")
    with pytest.raises(ConfigError, match="damaged"):
        read_current(project)
    point_current(project, NEW)
    assert read_current(project) == {"id": NEW, "previous": None}
