# SPDX-License-Identifier: Apache-2.0
"""Judges that are language models: what they are asked, how their reply is read, and how often.

All of it is pure. Asking a model is done in :mod:`countermark.exercise.inspect`.
"""
