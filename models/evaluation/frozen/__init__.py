# SPDX-License-Identifier: AGPL-3.0-or-later
"""A small set of rendered pictures that never changes, and the gate that measures models on it.

The pool of real pictures may not lie in the project; this set may, because the
project drew it. It is made once by ``python -m models.evaluation.frozen`` and
kept as files, so that a change of the renderer does not change the measure.
"""
