import type { InternalAxiosRequestConfig } from 'axios';
import type { RefusedRetry } from '../call/refused-retry.ts';
import type { VerdictKind } from '../call/verdict.ts';
import type { CallContext, Refusal } from '../context.ts';
import { keyOf } from '../send/key.ts';
import type { Account, RetryBudget } from './budget.ts';
import type { ResolvedBudget } from './options.ts';

/** A retry that has been decided on, and has yet to leave. */
interface Retry {
  readonly after: VerdictKind;
  readonly cost: number;
  /** Whom it was taken from, and how to give it back; `undefined` where nobody has paid yet. */
  paid: { readonly by: Account; giveBack(): void } | undefined;
}

/**
 * One call's dealings with the retry budget. What a send costs, and what comes of it, is booked where that send goes: a retry that
 * `beforeSend` has go to a mirror costs the first host nothing.
 */
export class Spending {
  private readonly context: CallContext;
  private readonly options: ResolvedBudget;
  private readonly budget: RetryBudget;
  /** Of where the call itself would go. */
  private home: Account;
  /** Of where the last send went. */
  private account: Account;
  /** Of where the next one goes. */
  private to: Account;
  private retry: Retry | undefined;
  /** What the last retry that left took. */
  private lastCost: number | undefined;
  /** Whose server this call found failing, and when first. */
  private failing: { readonly account: Account; readonly from: number } | undefined;

  constructor(context: CallContext, options: ResolvedBudget) {
    this.context = context;
    this.options = options;
    this.budget = context.shared.budget;
    this.home = this.accountOf(context.call.config);
    this.account = this.home;
    this.to = this.home;
  }

  /** Why there may be no retry; `undefined` where there may be one, or where only `beforeSend` knows whom to ask. */
  refusal(after: VerdictKind, isFree: boolean, nowMs: number): RefusedRetry | undefined {
    return this.context.mayMove ? undefined : this.home.refusal(after, this.costOf(after, isFree), nowMs);
  }

  /** A retry is to be made: takes what it costs, from the account of where the call itself would go until that is known better. */
  withdraw(after: VerdictKind, isFree: boolean, nowMs: number): void {
    const { home, account } = this;
    if (after === 'transient' && !isFree && this.failing?.account !== account) this.failing = { account, from: nowMs };
    const cost = this.costOf(after, isFree);
    const refused = this.context.mayMove && home.refusal(after, cost, nowMs) !== undefined;
    this.retry = { after, cost, paid: refused ? undefined : { by: home, giveBack: home.withdraw(after, cost, nowMs) } };
    this.to = home;
  }

  /** The sends to come go there; gives the reason where the budget of that place does not allow the retry that is to be made. */
  reroute(config: InternalAxiosRequestConfig): Refusal | undefined {
    this.home = this.accountOf(config);
    this.to = this.home;
    return this.context.mayMove ? undefined : this.moveTo(config);
  }

  /** The next send goes there; gives the reason where the budget of that place does not allow it. */
  moveTo(config: InternalAxiosRequestConfig): Refusal | undefined {
    const { context, retry } = this;
    const { call } = context;
    this.to = this.accountOf(config);
    if (retry === undefined || retry.paid?.by === this.to) return undefined;
    this.takeBack();
    const nowMs = context.shared.clock.now();
    const refused = this.to.refusal(retry.after, retry.cost, nowMs);
    if (refused !== undefined && call.outcome !== undefined) {
      this.refuse(refused, this.to);
      return { outcome: call.outcome, why: 'budget-empty' };
    }
    retry.paid = { by: this.to, giveBack: this.to.withdraw(retry.after, retry.cost, nowMs) };
    return undefined;
  }

  /** Writes down, and tells, why a retry was refused. */
  refuse(refused: RefusedRetry, account = this.home): void {
    const { rule, retries, calls, balance } = refused;
    this.context.call.refusedRetry = refused;
    this.context.tell('budget-empty', { key: account.key, rule, retries, calls, balance });
  }

  /** The send has been made. */
  sent(): void {
    this.account = this.to;
    if (this.retry !== undefined) this.lastCost = this.retry.cost;
    this.retry = undefined;
  }

  /** The call's first send was answered. Not sooner: a call that never gets to send anything does not count. */
  called(nowMs: number): void {
    this.account.called(nowMs);
  }

  /** Gives back what a retry took that has not left. */
  takeBack(): void {
    this.retry?.paid?.giveBack();
    if (this.retry !== undefined) this.retry.paid = undefined;
  }

  /** How the call ended. `failed`: whether the last answer was a failure of the server; `undefined` where that says nothing. */
  ended(succeeded: boolean, failed: boolean | undefined, nowMs: number): void {
    if (succeeded) this.account.succeeded(this.lastCost);
    if (failed === undefined) return;
    this.account.ended(failed, nowMs, this.failing?.account === this.account ? this.failing.from : nowMs);
  }

  private costOf(after: VerdictKind, isFree: boolean): number {
    return isFree ? 0 : this.home.costOf(after);
  }

  private accountOf(config: InternalAxiosRequestConfig): Account {
    return this.budget.account(keyOf(this.options.key, config, 'retry.budget.key'));
  }
}
