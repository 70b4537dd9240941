import { HttpModule, HttpService } from '@nestjs/axios';
import { Injectable, Module, OnModuleDestroy, OnModuleInit } from '@nestjs/common';
import { type Attachment, attach } from 'axios-holdfast';
import { firstValueFrom } from 'rxjs';

@Injectable()
export class Customers implements OnModuleInit, OnModuleDestroy {
  private holdfast?: Attachment;

  constructor(private readonly http: HttpService) {}

  onModuleInit(): void {
    this.holdfast = attach(this.http.axiosRef, { retry: { backoff: () => 1 } });
  }

  async onModuleDestroy(): Promise<void> {
    await this.holdfast?.close();
  }

  read(path: string, maxRetries = 3) {
    return firstValueFrom(this.http.get<{ ok: boolean }>(path, { holdfast: { retry: { maxRetries } } }));
  }
}

@Module({
  imports: [HttpModule.registerAsync({ useFactory: () => ({ baseURL: process.env.API }) })],
  providers: [Customers],
})
export class CustomersModule {}
