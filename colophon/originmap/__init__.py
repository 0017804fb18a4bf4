"""Which recorded step last changed each pixel of a picture.

    moves     the geometry that a step declares, replayed
    register  the geometry that it did not declare, found
    tone      color changes over the whole picture, matched
    changed   where two pictures differ to the eye
    compare   one step: from the picture before it to the picture after it
    blame     all steps: the map, its shares, its findings
    regions   the map as boxes and a picture to lay over
    interest  a box as a C2PA region of interest
    chain     signed steps and their proxies as a chain
    work      all of it in the killable child

The map describes the pictures that the steps name, and proves nothing about pixels
before the first of them. Whole-picture changes are listed, never counted. Source:
docs/origin-map.md.
"""
