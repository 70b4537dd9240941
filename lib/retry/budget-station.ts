import type { InternalAxiosRequestConfig } from 'axios';
import type { LiveCall } from '../call/live-call.ts';
import type { Refusal } from '../call/refusal.ts';
import type { RefusedRetry } from '../call/refused-retry.ts';
import type { Station } from '../call/station.ts';
import type { VerdictKind } from '../call/verdict.ts';
import { keyOf } from '../send/key.ts';
import type { Account, RetryBudget } from './budget.ts';
import type { ResolvedBudget } from './options.ts';

/** A retry that has been decided on, and has yet to leave. */
interface Retry {
  readonly after: VerdictKind;
  readonly cost: number;
  /** Whom it was taken from, and how to give it back; `undefined` where nobody has paid yet. */
  paid: { readonly by: Account; refund(): void } | undefined;
}

/** What is remembered of a call here. */
interface Slot {
  /** Of where the call itself would go. */
  home: Account;
  /** Of where the last send went. */
  account: Account;
  /** Of where the next one goes. */
  to: Account;
  retry: Retry | undefined;
  /** What the last retry that left took. */
  lastCost: number | undefined;
  /** Whose server this call found failing, and when first. */
  failing: { readonly account: Account; readonly from: number } | undefined;
}

export interface BudgetedCall extends LiveCall {
  budget: Slot | undefined;
}

/**
 * The retry budget on a call's way. What a send costs, and what comes of it, is booked where that send goes: a retry that
 * `beforeSend` has go to a mirror costs the first host nothing.
 */
export class BudgetStation implements Station<BudgetedCall> {
  readonly #budget: RetryBudget;
  readonly #options: ResolvedBudget;

  constructor(budget: RetryBudget, options: ResolvedBudget) {
    this.#budget = budget;
    this.#options = options;
  }

  /** Why there may be no retry; `undefined` where there may be one, or where only `beforeSend` knows whom to ask. */
  refusal(call: BudgetedCall, after: VerdictKind, isFree: boolean, nowMs: number): RefusedRetry | undefined {
    if (call.terms.mayMove) return undefined;
    const { home } = this.#slotOf(call);
    return home.refusal(after, isFree ? 0 : home.costOf(after), nowMs);
  }

  /** A retry is to be made: takes what it costs, from the account of where the call itself would go until that is known better. */
  withdraw(call: BudgetedCall, after: VerdictKind, isFree: boolean, nowMs: number): void {
    const slot = this.#slotOf(call);
    const { account, home } = slot;
    if (after === 'transient' && !isFree && slot.failing?.account !== account) slot.failing = { account, from: nowMs };
    const cost = isFree ? 0 : home.costOf(after);
    const refused = call.terms.mayMove && home.refusal(after, cost, nowMs) !== undefined;
    slot.retry = { after, cost, paid: refused ? undefined : { by: home, refund: home.withdraw(after, cost, nowMs) } };
    slot.to = home;
  }

  /** Gives the reason where the budget of that place does not allow the retry that is to be made. */
  reroute(call: BudgetedCall, config: InternalAxiosRequestConfig): Refusal | undefined {
    const slot = this.#slotOf(call);
    slot.home = this.#accountOf(config);
    slot.to = slot.home;
    return call.terms.mayMove ? undefined : this.moveTo(call, config);
  }

  moveTo(call: BudgetedCall, config: InternalAxiosRequestConfig): Refusal | undefined {
    const slot = this.#slotOf(call);
    const { retry } = slot;
    slot.to = this.#accountOf(config);
    if (retry === undefined || retry.paid?.by === slot.to) return undefined;
    this.leave(call);
    const nowMs = call.terms.clock.now();
    const refused = slot.to.refusal(retry.after, retry.cost, nowMs);
    if (refused !== undefined && call.outcome !== undefined) {
      this.refuse(call, refused, slot.to);
      return { outcome: call.outcome, why: 'budget-empty' };
    }
    retry.paid = { by: slot.to, refund: slot.to.withdraw(retry.after, retry.cost, nowMs) };
    return undefined;
  }

  /** Writes down, and tells, why a retry was refused. */
  refuse(call: BudgetedCall, refused: RefusedRetry, account = this.#slotOf(call).home): void {
    const { balance, calls, retries, rule } = refused;
    call.refusedRetry = refused;
    call.tell('budget-empty', { key: account.key, rule, retries, calls, balance });
  }

  /** A send has been made, where it was turned to. */
  arrive(call: BudgetedCall): void {
    const slot = this.#slotOf(call);
    slot.account = slot.to;
    if (slot.retry !== undefined) slot.lastCost = slot.retry.cost;
    slot.retry = undefined;
  }

  /** The call's first send has been judged. Not sooner: a call that is never answered, or breaks in our hands, does not count. */
  called(call: BudgetedCall, nowMs: number): void {
    this.#slotOf(call).account.called(nowMs);
  }

  /** Gives back what a retry took that has not left. */
  leave({ budget: slot }: BudgetedCall): void {
    if (slot?.retry === undefined) return;
    slot.retry.paid?.refund();
    slot.retry.paid = undefined;
  }

  /** How the call ended. `failed`: whether the last answer was a failure of the server; `undefined` where that says nothing. */
  ended(call: BudgetedCall, succeeded: boolean, failed: boolean | undefined, nowMs: number): void {
    const { account, failing, lastCost } = this.#slotOf(call);
    if (succeeded) account.succeeded(lastCost);
    if (failed === undefined) return;
    account.ended(failed, nowMs, failing?.account === account ? failing.from : nowMs);
  }

  #slotOf(call: BudgetedCall): Slot {
    if (call.budget === undefined) {
      const home = this.#accountOf(call.config);
      call.budget = { home, account: home, to: home, retry: undefined, lastCost: undefined, failing: undefined };
    }
    return call.budget;
  }

  #accountOf(config: InternalAxiosRequestConfig): Account {
    return this.#budget.account(keyOf(this.#options.key, config, 'retry.budget.key'));
  }
}
