# SPDX-License-Identifier: Apache-2.0
# Base R's answers on p values and on why labs differ; one "name value value ..." a line.
# Usage: Rscript lab_differences.R
show <- function(name, x) cat(name, sprintf("%.17g", as.numeric(x)), "\n")

p <- c(0.01, 0.04, 0.03, 0.005, 0.2, 0.03, 0.9, 0.0001, 0.04)
show("p", p)
show("holm", p.adjust(p, "holm"))
show("benjamini_hochberg", p.adjust(p, "BH"))

# Lab means over 40 items, and three factors; "prompt" has three levels.
y <- c(0.31, 0.28, 0.42, 0.39, 0.33, 0.47, 0.30, 0.44, 0.36)
x <- data.frame(
  prompt = c("a", "a", "b", "b", "c", "c", "a", "b", "c"),
  provider = c("p", "q", "p", "q", "p", "q", "q", "q", "p"),
  temperature = c("0", "0", "1", "0", "1", "1", "1", "1", "0")
)
factors <- names(x)
show("means", y)
fit <- function(names) lm(y ~ ., data = cbind(y = y, x[, names, drop = FALSE]))
whole <- fit(factors)
show("coefficients", coef(whole)[-1])
show("errors", summary(whole)$coefficients[-1, 2])
tests <- drop1(whole, test = "F")
show("f", tests[-1, "F value"])
show("p_f", tests[-1, "Pr(>F)"])

# Generalised VIF: Fox and Monette 1992, from determinants of correlation matrices.
columns <- model.matrix(whole)[, -1]
belongs <- attr(model.matrix(whole), "assign")[-1]
R <- cor(columns)
gvif <- sapply(seq_along(factors), function(f) {
  own <- belongs == f
  det(R[own, own, drop = FALSE]) * det(R[!own, !own, drop = FALSE]) / det(R)
})
show("vif", gvif^(1 / table(belongs)))

# Lindeman, Merenda and Gold 1980: the gain in R squared, averaged over all orders.
orders <- list(c(1, 2, 3), c(1, 3, 2), c(2, 1, 3), c(2, 3, 1), c(3, 1, 2), c(3, 2, 1))
gains <- function(measure) rowMeans(sapply(orders, function(order) {
  gain <- numeric(3)
  for (j in 1:3) {
    gain[order[j]] <- measure(order[1:j]) - if (j == 1) 0 else measure(order[seq_len(j - 1)])
  }
  gain
}))
show("lmg", gains(function(set) summary(fit(factors[set]))$r.squared))
show("residual", sum(resid(whole)^2) / whole$df.residual)
