/** A service in front of another: asks for the stock once, as it starts, and fails when nobody answers. */
import { createServer } from 'node:http'

const response = await fetch(process.env.STOCK)
if (!response.ok) throw new Error(`stock answers ${response.status}`)
const products = await response.json()
const page = `${process.env.TITLE}: ${products.map(({ product, pieces }) => `${pieces} × ${product}`).join(', ')}\n`

createServer((_, answer) => {
  answer.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' })
  answer.end(page)
}).listen(8080, () => console.log('the shop is open'))
process.on('SIGTERM', () => process.exit(0))
