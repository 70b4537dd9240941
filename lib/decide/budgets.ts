import type { ResolvedBudget } from '../policy/options.ts';
import { RetryBudget } from './budget.ts';

/** The retry budgets of one attachment: calls that are given the same numbers share one. */
export class Budgets {
  private readonly byNumbers = new Map<string, RetryBudget>();
  /** Nearly every call comes with the attached policy's own. */
  private last: { readonly options: ResolvedBudget; readonly budget: RetryBudget } | undefined;

  of(options: ResolvedBudget): RetryBudget {
    if (this.last?.options === options) return this.last.budget;
    const numbers = JSON.stringify(options);
    const budget = this.byNumbers.get(numbers) ?? new RetryBudget(options);
    this.byNumbers.set(numbers, budget);
    this.last = { options, budget };
    return budget;
  }

  balances(): { [key: string]: number } {
    return Object.fromEntries([...this.byNumbers.values()].flatMap((budget) => Object.entries(budget.balances())));
  }
}
