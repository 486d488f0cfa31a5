"""Sealing, keys and permits: protected values leave this package only as boxes, and come back only for a permit.

Where to look: ``envelope`` (bytes on disk), ``datakey`` (one person's key), ``keyring`` (the only opener), ``sealer``
(the face for writers), ``permit`` (what an opening costs), ``rowmac`` (integrity of the plain columns), ``providers``
(the root), ``bootstrap``, ``signing`` and ``rotation`` (lives of the keys). The rules are those of the design page
"security".
"""
