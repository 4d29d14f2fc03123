"""Chapter 3 of the specification: the trees of RFC 6962, inclusion and consistency."""

from __future__ import annotations

from canonical import demand_equal, refuse, sha256

EMPTY_ROOT = sha256(b"")


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf."""
    return sha256(b"\x00" + data)


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return sha256(b"\x01" + left + right)


def root(hashes: list[bytes]) -> bytes:
    """The root over leaf hashes.

    A stack of perfect subtrees, whose sizes are the bits of the number of leaves, is folded from the right.
    """
    stack: list[bytes] = []
    for count, each in enumerate(hashes):
        stack.append(each)
        while count & 1:
            right = stack.pop()
            stack.append(node_hash(stack.pop(), right))
            count >>= 1
    if not stack:
        return EMPTY_ROOT
    result = stack.pop()
    while stack:
        result = node_hash(stack.pop(), result)
    return result


def root_of(leaves: list[bytes]) -> bytes:
    """The root over leaves."""
    return root([leaf_hash(leaf) for leaf in leaves])


def check_inclusion(leaf: bytes, index: int, size: int, expected: bytes, path: list[bytes], where: str) -> None:
    """The leaf hash is at the index of the tree of that size and root (3.3)."""
    rule = "3.3 inclusion path"
    if index >= size:
        refuse(rule, where, f"an index below the size {size}", index)
    node, last, current = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            refuse(rule, where, "a shorter path", f"{len(path)} hashes")
        if node & 1 or node == last:
            current = node_hash(sibling, current)
            while not node & 1 and node != 0:
                node, last = node >> 1, last >> 1
        else:
            current = node_hash(current, sibling)
        node, last = node >> 1, last >> 1
    if last != 0:
        refuse(rule, where, "a longer path", f"{len(path)} hashes")
    demand_equal(rule, where, f"root {expected.hex()}", f"root {current.hex()}")


def check_consistency(
    old_size: int, old_root: bytes, new_size: int, new_root: bytes, path: list[bytes], where: str
) -> None:
    """The tree of the new size and root begins with that of the old ones (RFC 9162 section 2.1.4.2)."""
    rule = "3.3 consistency proof"
    if old_size > new_size:
        refuse(rule, where, f"a size from {old_size}", new_size)
    if old_size in (0, new_size):
        demand_equal(rule, where, 0, len(path))
        demand_equal(rule, where, (EMPTY_ROOT if old_size == 0 else new_root).hex(), old_root.hex())
        return
    hashes = [old_root, *path] if old_size & (old_size - 1) == 0 else path
    if not path:
        refuse(rule, where, "a path", "none")
    node, last = old_size - 1, new_size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old = new = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            refuse(rule, where, "a shorter path", f"{len(path)} hashes")
        if node & 1 or node == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not node & 1 and node != 0:
                node, last = node >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        node, last = node >> 1, last >> 1
    demand_equal(rule, where, 0, last)
    demand_equal(rule, where, f"old root {old_root.hex()}", f"old root {old.hex()}")
    demand_equal(rule, where, f"new root {new_root.hex()}", f"new root {new.hex()}")
