"""A random population for the leak suite: resources, who sent them, and who asks for them.

    world = make_world(patients=6, seed=7)
    world.record, world.callers, world.now

The same seed gives the same world: whoever compares answers prints it. Everything is valid R4;
references resolve. Says nothing of who may see what: that is `tests/policy/naive/`.
"""

from tests.policy.world.making import NOW, Author
from tests.policy.world.world import World, make_world

__all__ = ["NOW", "Author", "World", "make_world"]
