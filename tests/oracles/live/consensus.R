# SPDX-License-Identifier: Apache-2.0
# What metafor computes for dat.bcg and for values with correlated errors, one figure a line.
# Iterations are tightened, because metafor stops at 1e-5 by default.
suppressMessages(library(metafor))

say <- function(name, values) {
  cat(name, formatC(as.numeric(values), digits = 17, format = "g"), "\n")
}
tight <- list(threshold = 1e-13, maxiter = 10000, tol = 1e-13)

data <- escalc(measure = "RR", ai = tpos, bi = tneg, ci = cpos, di = cneg, data = dat.bcg)
say("version", unlist(packageVersion("metafor"))[1:3])
say("values", data$yi)
say("variances", data$vi)
say("ablat", data$ablat)

for (method in c("DL", "REML", "ML", "HE", "PM", "SJ", "HS")) {
  for (test in c("z", "knha")) {
    fit <- rma(yi, vi, data = data, method = method, test = test, control = tight)
    future <- predict(fit)
    say(paste(tolower(method), test), c(
      fit$beta, fit$se, fit$ci.lb, fit$ci.ub, future$pi.lb, future$pi.ub,
      fit$tau2, fit$I2 / 100, fit$H2, fit$QE, fit$QEp
    ))
  }
}
profile <- confint(rma(yi, vi, data = data, method = "REML", control = tight),
                   control = list(tol = 1e-13))$random
say("q_profile", c(profile["tau^2", 2:3], profile["I^2(%)", 2:3] / 100))

for (test in c("z", "knha")) {
  fit <- rma(yi, vi, mods = ~ablat, data = data, method = "REML", test = test, control = tight)
  say(paste("ablat", test), c(
    fit$beta, fit$se, fit$pval, fit$tau2, fit$R2 / 100, fit$QE, fit$QEp, fit$I2 / 100
  ))
}

# Correlated errors: a common part, and neighbours that share more.
k <- nrow(data)
covariance <- diag(data$vi) + 0.05 + 0.2 * outer(1:k, 1:k, function(i, j) {
  ifelse(abs(i - j) == 1, pmin(data$vi[i], data$vi[j]), 0)
})
say("covariance", as.vector(covariance))
data$lab <- seq_len(k)
for (method in c("REML", "ML")) {
  fit <- rma.mv(yi, covariance, random = ~ 1 | lab, data = data, method = method,
                control = list(rel.tol = 1e-13, iter.max = 1000))
  say(paste("correlated", tolower(method)), c(fit$beta, fit$se, fit$sigma2, fit$QE, fit$QEp))
}
