"""Many orders laid out as commands at once."""

from __future__ import annotations

import numpy as np

from omnistock.availability.hashing import mixed
from omnistock.availability.layout import COMMAND_WORDS, RESERVE
from omnistock.availability.promise import LINE_WORDS
from omnistock.numerics.compiled import apart_kernel, inner_kernel

ORDER_HEAD = COMMAND_WORDS + 6


@apart_kernel
def packed_size(line_offsets, skus, is_kit, kit_offsets):
    """Words that the orders take."""
    words = (line_offsets.shape[0] - 1) * ORDER_HEAD + skus.shape[0] * (LINE_WORDS + 2)
    for k in range(skus.shape[0]):
        if is_kit[skus[k]] != 0:
            words += 2 * (kit_offsets[skus[k] + 1] - kit_offsets[skus[k]] - 1)
    return words


@inner_kernel
def pack_line(words, line, sku, node, units, head, is_kit, kit_offsets, kit_parts):
    """Lay out one line; returns the word after it."""
    words[line] = sku
    words[line + 1] = node
    words[line + 2] = head[3]
    words[line + 3] = units
    words[line + 4] = -1
    words[line + 5] = head[4]
    words[line + 6] = 0
    if is_kit[sku] == 0:
        words[line + 7] = 1
        words[line + 8] = sku
        words[line + 9] = 1
        return line + LINE_WORDS + 2
    first = kit_offsets[sku]
    n_parts = kit_offsets[sku + 1] - first
    words[line + 7] = n_parts
    line += LINE_WORDS
    for part in range(n_parts):
        words[line] = kit_parts[first + part, 0]
        words[line + 1] = kit_parts[first + part, 1]
        line += 2
    return line


@apart_kernel
def pack_orders_into(
    words, offsets, line_offsets, skus, nodes, units, orders, ids, head, is_kit, kit_offsets,
    kit_parts,
):  # fmt: skip
    """Lay out orders as reserve commands; ``head`` is asker, time to live, flags, bucket, due."""
    at = np.int64(0)
    start = mixed(mixed(mixed(mixed(0, head[0]), head[1]), head[2]), head[4])
    for c in range(line_offsets.shape[0] - 1):
        offsets[c] = at
        words[at] = RESERVE
        words[at + 1] = ids[c, 0]
        words[at + 2] = ids[c, 1]
        body = at + COMMAND_WORDS
        words[body] = orders[c]
        words[body + 1] = head[0]
        words[body + 2] = head[1]
        words[body + 3] = head[2]
        words[body + 4] = 0
        words[body + 5] = line_offsets[c + 1] - line_offsets[c]
        line = body + 6
        digest = mixed(start, orders[c])
        for k in range(line_offsets[c], line_offsets[c + 1]):
            line = pack_line(
                words, line, skus[k], nodes[k], units[k], head, is_kit, kit_offsets, kit_parts
            )
            digest = mixed(mixed(mixed(digest, skus[k]), nodes[k]), units[k])
        words[at + 3] = digest
        at = line
    offsets[line_offsets.shape[0] - 1] = at
