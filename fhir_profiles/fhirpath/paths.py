"""The way from items to their members: `Patient.name.given` (N1 §5.1). The hot path of all."""

from .environment import Closure, Environment
from .model import COMPLEX, PRIMITIVE, Step, is_subtype, step
from .nodes import Collection, Node, members, shadow_members

_FEW = 16  # what a path finds is accounted for only beyond


def context(this: Collection, env: Environment) -> Collection:
    """Return `$this`, where every path begins."""
    return this


def of_root_type(name: str) -> Closure:
    """A path may start with the type of its context: `Patient.name`, `Resource.id`."""

    def run(this: Collection, env: Environment) -> Collection:
        return [x for x in this if type(x) is Node and is_subtype(x.type, name)]

    return run


def path(source: Closure, name: str) -> Closure:
    """Member access, the hot path: the way to a member is looked up once per type."""
    steps: dict[str, Step] = {}
    extra = "_" + name

    def run(this: Collection, env: Environment) -> Collection:
        out: Collection = []
        for item in source(this, env):
            if type(item) is not Node:
                continue
            value = item.value
            if type(value) is not dict:
                shadow_members(item, name, out)
                continue
            found = steps.get(item.type)
            if found is None:
                found = steps[item.type] = step(item.type, name)
            kind = found[0]
            if kind == COMPLEX or (kind == PRIMITIVE and extra not in value):
                child = value.get(name)
                if type(child) is list:
                    kind_of_child = found[1]
                    for position, each in enumerate(child):
                        if each is not None:
                            out.append(Node(each, kind_of_child, item, name, position))
                elif child is not None:
                    out.append(Node(child, found[1], item, name))
            elif kind:
                members(item, name, found, out)
        if len(out) > _FEW:
            env.spend(len(out))
        return out

    return run
