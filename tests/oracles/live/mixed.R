# SPDX-License-Identifier: Apache-2.0
# Mixed models by lme4, glmmTMB and ordinal, as JSON. The data are the packages' own, and a table of
# cells (lab, language, model, item, total, count) in the CSV file that is the first argument.
suppressMessages({library(lme4); library(glmmTMB); library(jsonlite)})
options(warn = -1)
versions <- function(...) paste(sapply(c(...), function(p) paste(p, packageVersion(p))), collapse = ", ")
by_lme4 <- function(fit) list(
  beta = unname(fixef(fit)), se = unname(sqrt(diag(as.matrix(vcov(fit))))),
  sd = lapply(VarCorr(fit), function(v) unname(attr(v, "stddev"))),
  residual = sigma(fit), loglik = as.numeric(logLik(fit)))
by_tmb <- function(fit) list(
  beta = unname(fixef(fit)$cond), se = unname(sqrt(diag(vcov(fit)$cond))),
  sd = lapply(VarCorr(fit)$cond, function(v) unname(attr(v, "stddev"))),
  loglik = as.numeric(logLik(fit)))
both <- function(formula, data, weights = NULL) {
  data$w_ <- if (is.null(weights)) 1 else weights
  tight <- glmmTMBControl(optCtrl = list(iter.max = 1e4, eval.max = 1e4, rel.tol = 1e-14, x.tol = 1e-12))
  list(lme4 = by_lme4(glmer(formula, data, binomial, weights = w_,
                            control = glmerControl(optimizer = "bobyqa"))),
       tmb = by_tmb(glmmTMB(formula, data, binomial, weights = w_, control = tight)),
       tmb_restricted = by_tmb(glmmTMB(formula, data, binomial, weights = w_, REML = TRUE, control = tight)))
}
cbpp$rate <- cbpp$incidence / cbpp$size
VerbAgg$y <- as.integer(VerbAgg$r2 == "Y")
out <- list(source = "R, lme4 data sets cbpp, VerbAgg, Penicillin; ordinal data set wine",
            version = versions("lme4", "glmmTMB", "ordinal"))
out$cbpp <- c(both(rate ~ period + (1 | herd), cbpp, cbpp$size), list(data = list(
  herd = as.integer(cbpp$herd), period = as.integer(cbpp$period),
  total = cbpp$incidence, count = cbpp$size)))
verb <- VerbAgg
items <- unique(verb[, c("item", "btype", "situ", "mode")])
items <- items[order(as.integer(items$item)), ]
wide <- xtabs(y ~ item + id, verb)
out$verbagg <- c(both(y ~ btype + situ + mode + (1 | id) + (1 | item), verb), list(data = list(
  btype = as.integer(items$btype), situ = as.integer(items$situ), mode = as.integer(items$mode),
  answers = apply(wide, 1, paste, collapse = ""))))
p <- Penicillin
penicillin <- function(reml) by_lme4(lmer(diameter ~ 1 + (1 | plate) + (1 | sample), p, REML = reml,
  control = lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-12))))
out$penicillin <- list(ml = penicillin(FALSE), restricted = penicillin(TRUE), data = list(
  plate = as.integer(p$plate), sample = as.integer(p$sample), diameter = p$diameter))
suppressMessages(library(ordinal))
w <- ordinal::wine
o <- clmm(rating ~ temp + contact + (1 | judge) + (1 | bottle), w,
          control = clmm.control(grtol = 1e-8))
out$wine <- list(ml = list(beta = unname(o$beta), cuts = unname(o$Theta[1, ]),
                           se = unname(sqrt(diag(vcov(o)))),
                           sd = lapply(VarCorr(o), function(v) unname(attr(v, "stddev"))),
                           loglik = as.numeric(logLik(o))),
                 data = list(rating = as.integer(w$rating), temp = as.integer(w$temp),
                             contact = as.integer(w$contact), bottle = as.integer(w$bottle),
                             judge = as.integer(w$judge)))
file <- commandArgs(trailingOnly = TRUE)
if (length(file)) {
  d <- read.csv(file[1])
  d <- d[d$count > 0, ]
  d$rate <- d$total / d$count
  d$both <- d$lab * 1000 + d$language
  for (v in c("lab", "language", "model", "item", "both")) d[[v]] <- factor(d[[v]])
  out$simulated <- both(rate ~ model + language + (1 | item) + (1 | lab) + (1 | both), d, d$count)
}
cat(toJSON(out, digits = 14, auto_unbox = TRUE))
