# SPDX-License-Identifier: Apache-2.0
"""Linear algebra of a Hessian with a small dense corner and a long diagonal.

With labs, languages and fixed effects in the dense corner and items on the diagonal::

    H = [ corner   edge      ]      corner (q, q), edge (q, I), diagonal (I,)
        [ edge.T   diag(diagonal) ]

its Schur complement ``S = corner - edge / diagonal @ edge.T`` gives the determinant
``|H| = |S| * prod(diagonal)``, solutions, and single elements of the inverse (Golub and Van Loan
2013, section 4.3.8 on bordered systems and 3.2.11 on Schur complements), at a cost that grows with
the number of items and never with its square.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Arrowhead:
    """A positive definite arrowhead, factored.

    Parameters
    ----------
    edge
        ``(q, I)``.
    diagonal
        ``(I,)``, positive.
    inverse
        ``(q, q)``: inverse of the Schur complement.
    reach
        ``(q, I)``: ``inverse @ edge / diagonal``, minus the corner-by-item part of the inverse.
    item_variances
        ``(I,)``: diagonal of the inverse, the items' part.
    log_determinant
        Natural logarithm of the determinant of the whole.
    """

    edge: Array
    diagonal: Array
    inverse: Array
    reach: Array
    item_variances: Array
    log_determinant: float

    @classmethod
    def factor(cls, corner: Array, edge: Array, diagonal: Array) -> "Arrowhead":
        """Factor an arrowhead.

        Raises
        ------
        numpy.linalg.LinAlgError
            If it is not positive definite.
        """
        over = edge / diagonal
        logs = float(np.log(diagonal).sum())
        if not corner.size:
            return cls(edge, diagonal, corner, over, 1 / diagonal, logs)
        root = np.linalg.cholesky(corner - over @ edge.T)
        half = linalg.lapack.dtrtri(root, lower=1)[0]
        inverse = half.T @ half
        logs += 2 * float(np.log(np.diag(root)).sum())
        reach = inverse @ over
        variances = (1 + (edge * reach).sum(axis=0)) / diagonal
        return cls(edge, diagonal, inverse, reach, variances, logs)

    def solve(self, corner: Array, items: Array) -> tuple[Array, Array]:
        """Solve ``H x = b`` for ``b`` in two parts, ``(q, ...)`` and ``(I, ...)``."""
        below = items.T / self.diagonal
        top = self.inverse @ corner - self.reach @ items
        return top, np.asarray((below - (top.T @ self.edge) / self.diagonal).T)
