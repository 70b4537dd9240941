/** @module axios-holdfast */

export type { AttachableInstance, Attachment, AttachOptions, CloseOptions, Stats } from './attach.ts';
export { credentials } from './auth/credentials.ts';
export type {
  AuthOptions,
  Credentials,
  CredentialsOptions,
  RefreshContext,
  ResolvedAuth,
  StoreContext,
  StoredToken,
  Token,
  TokenStore,
} from './auth/options.ts';
export { circuitBreaker } from './breaker/circuit-breaker.ts';
export type { Breaker, BreakerOptions, ResolvedBreaker } from './breaker/options.ts';
export type { Call } from './call/call.ts';
export type { Decision, DecisionKind } from './call/decision.ts';
export {
  type AnyEvent,
  EVENT_NAMES,
  type EventName,
  type EventOf,
  type Events,
  type Listener,
} from './call/events.ts';
export type { Outcome } from './call/outcome.ts';
export type { BudgetState } from './call/refused-retry.ts';
export type { EndReason, Report, SendRecord } from './call/report.ts';
export type { Verdict, VerdictKind } from './call/verdict.ts';
export type { PendingPhase } from './call/wait.ts';
export type { Classifier, Evidence, StatusRange, StatusRule, StatusRules } from './classify/options.ts';
export type { CorrelationOptions, ResolvedCorrelation } from './correlation/options.ts';
export { type ApiError, type ApiErrorShape, mostSpecific, readApiError } from './failure/api-error.ts';
export { type Challenge, parseChallenges } from './failure/challenge.ts';
export {
  CircuitOpenError,
  type HoldfastErrorCode,
  InvalidPolicyError,
  isHoldfastError,
  LimitError,
  type LimitErrorCode,
  type PolicyProblem,
  TokenRefreshError,
} from './failure/errors.ts';
export { type Failure, type FailureKind, failureOf, reportOf } from './failure/failure.ts';
export { attach, mergePolicies, preparePolicy } from './full.ts';
export type { IdempotencyOptions, ResolvedIdempotency } from './idempotency/options.ts';
export type { AdaptiveOptions } from './limit/adaptive/rate.ts';
export type { Answer, Limiter, LimiterStats, Permit, PermitRequest, Standing } from './limit/limiter.ts';
export { type LocalLimiter, localLimiter } from './limit/local/local-limiter.ts';
export type { LimitOptions, ResolvedLimit } from './limit/options.ts';
export type { Quota, QuotaCounter, QuotaPolicy } from './limit/quota/headers.ts';
export type { ToldQuota } from './limit/quota/reader.ts';
export type { LimitWindow } from './limit/windows/gcra.ts';
export type { Logger } from './observe/log.ts';
export type { PendingCall } from './observe/pending.ts';
export type { Policy, ResolvedPolicy } from './policy/options.ts';
export type { PreparedPolicy } from './policy/prepared.ts';
export type { PollOptions, ResolvedPoll } from './poll/options.ts';
export { type PartnerApiOptions, partnerApi } from './presets/partner-api.ts';
export type {
  BudgetOptions,
  EndedSend,
  GiveUpContext,
  OnGiveUp,
  OnRetry,
  ResolvedBudget,
  ResolvedRetry,
  ResolvedRetryAfter,
  RetryAfterOptions,
  RetryContext,
  RetryOptions,
} from './retry/options.ts';
export type { BeforeSend } from './send/before-send.ts';
export {
  type Backoff,
  constantBackoff,
  type ExponentialBackoffOptions,
  exponentialBackoff,
  type Jitter,
  type LinearBackoffOptions,
  linearBackoff,
} from './time/backoff.ts';
export type { Random } from './time/clock.ts';
export { parseRetryAfter } from './time/retry-after.ts';
