# SPDX-License-Identifier: Apache-2.0
# The mixed model of ours.py by lme4's glmer (nAGQ = 1) on a CSV file of cells. Prints JSON.
suppressMessages(library(lme4))
options(warn = -1)
d <- read.csv(commandArgs(trailingOnly = TRUE)[1])
d$rate <- d$total / d$count
for (v in c("lab", "model", "language", "item", "both")) d[[v]] <- factor(d[[v]])
start <- proc.time()
fit <- glmer(rate ~ model + language + (1 | item) + (1 | lab) + (1 | both), d, binomial,
             weights = d$count, nAGQ = 1)
took <- proc.time() - start
cat(sprintf('{"seconds": %.6f, "loglik": %.10f}\n', took[["user.self"]] + took[["sys.self"]],
            as.numeric(logLik(fit))))
