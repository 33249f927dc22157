"""Makes an earlier deployment current again and writes it into the history of cycles."""

from curator.cycle.record import finish_cycle, list_cycles, open_cycle
from curator.deployments import find_deployment, point_current, read_current, roll_back
from curator.project import Project
from schemas.errors import ConfigError
from warehouse import hold_lock


def roll_back_to(project: Project, deployment: str | None = None, role: str | None = None) -> str:
    """Gives the id of the deployment that is current now.

    Args:
        project: The project.
        deployment: Id or its beginning; the one before the current one if None.
        role: Only for this coach role.

    Raises:
        ConfigError: There is no such deployment, or a cycle was interrupted and must be finished first.
        LockedError: A cycle runs.
    """
    with hold_lock(project.root / ".curator" / "cycle.lock", "cycle rollback"):
        known = list_cycles(project)
        if known and not known[-1].is_finished:
            raise ConfigError(f"cycle {known[-1].number} was interrupted", "curator cycle finishes it; roll back then")
        before = read_current(project, role)
        folder = find_deployment(project, deployment) if deployment else roll_back(project, role)
        point_current(project, folder.name, role)
        record = open_cycle(project, {"rollback": deployment, "role": role})
        reason = f"{before['id'] if before else 'nothing'} → {folder.name}, by hand"
        finish_cycle(project, record, "rolled_back", [reason])
        return folder.name
