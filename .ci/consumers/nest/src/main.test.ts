import 'reflect-metadata';
import { deepEqual, equal } from 'node:assert';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { HttpModule, HttpService } from '@nestjs/axios';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import axios, { isAxiosError } from 'axios';
import { attach, failureOf, reportOf } from 'axios-holdfast';
import { firstValueFrom } from 'rxjs';
import { Customers, CustomersModule } from './customers.module';

let app: INestApplicationContext;
let customers: Customers;
let seen = 0;
const server = http.createServer((request, response) => {
  seen += 1;
  response.statusCode = request.url === '/missing' ? 404 : seen < 3 ? 503 : 200;
  response.end('{"ok":true}');
});

before(async () => {
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  process.env.API = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  app = await NestFactory.createApplicationContext(CustomersModule, { logger: ['error'] });
  await app.init();
  customers = app.get(Customers);
});
after(async () => {
  await app.close();
  server.close();
});

test('a GET that is answered 503, 503, 200 succeeds', async () => {
  const response = await customers.read('/');
  deepEqual(response.data, { ok: true });
  equal(reportOf(response)?.sends.length, 3);
});

test('a 404 is explained', async () => {
  const error: unknown = await customers.read('/missing').catch((thrown: unknown) => thrown);
  equal(isAxiosError(error), true);
  equal(failureOf(error)?.kind, 'rejected');
});

test('a call has a policy of its own', async () => {
  seen = 0;
  const error: unknown = await customers.read('/', 1).catch((thrown: unknown) => thrown);
  equal(failureOf(error)?.endedBecause, 'retries-exhausted');
});

test('an HttpModule without options has the global axios, which is attached to like any other', async () => {
  seen = 0;
  const plain = await NestFactory.createApplicationContext(HttpModule, { logger: ['error'] });
  const http = plain.get(HttpService);
  equal(http.axiosRef, axios);
  const holdfast = attach(http.axiosRef, { retry: { backoff: () => 1 } });
  const response = await firstValueFrom(http.get(`${process.env.API}/`));
  equal(reportOf(response)?.sends.length, 3);
  await holdfast.close();
  await plain.close();
});
